import type { Clock } from '../../base/clock.ts';
import type { Settings } from '../../config/settings.ts';
import type { Command, CommandResult } from '../../events/commands.ts';
import type { MediaNode } from '../media-node.ts';
import { tryAgent } from './agent-trial.ts';

type Commands = { readonly [K in Command['name']]: Extract<Command, { name: K }> };

interface House {
  readonly clock: Clock;
  readonly settings: Settings;
}

const HANDLERS: {
  readonly [K in keyof Commands]: (
    node: MediaNode,
    command: Commands[K],
    house: House,
  ) => Promise<CommandResult>;
} = {
  apply_credentials: async (node, { view }) => {
    node.applyCredentials(view);
    return done({ version: view.version });
  },
  apply_agents: async (node, { view }) => {
    node.publishedAgents.apply(view);
    return done({ version: view.version });
  },
  try_agent: async (node, { terms }, { clock }) =>
    done(await tryAgent(terms, { dialler: node.agents, clock })),
  call_command: async (node, { call_id, workspace_id, command }, { clock }) => {
    const call = node.calls.get(call_id);
    if (call === undefined || call.facts.workspaceId !== workspace_id) {
      return { ok: false, fault: 'call_not_found', detail: 'this node has no such call' };
    }
    return call.command(command, clock.nowMs());
  },
  read_metrics: async (node) => done(await node.figures.snapshot()),
  drain: async (node, _, { settings }) => {
    void node.drain(settings.drainDeadlineMs, 'node');
    return done(null);
  },
};

/** Does what control asks, and says what came of it. */
export function obey(node: MediaNode, command: Command, house: House): Promise<CommandResult> {
  const handle = HANDLERS[command.name] as (
    node: MediaNode,
    command: Command,
    house: House,
  ) => Promise<CommandResult>;
  return handle(node, command, house);
}

function done(value: unknown): CommandResult {
  return { ok: true, value };
}
