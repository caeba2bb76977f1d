import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Lifetime } from '../../base/lifetime.ts';
import type { AgentDialler } from '../../call/agent-dialler.ts';
import { agentsFor } from '../../call/agents/agent-part.ts';
import { Handovers } from '../../call/handover/handovers.ts';
import type { CallPorts } from '../../call/ports.ts';
import { forksFor } from '../../call/forks/fork-part.ts';
import { recordingFor } from '../../call/recording/recording-part.ts';
import { ProviderHangUp } from '../../call/provider/provider-hang-up.ts';
import { ProviderMove } from '../../call/provider/provider-move.ts';
import type { ProviderOrders } from '../../call/provider/provider-orders.ts';
import { mediaUrlOf, publicUrlOf } from '../../config/addresses.ts';
import { costRatesOf } from '../../config/cost-rates.ts';
import type { DataPaths } from '../../config/data-dir.ts';
import type { Settings } from '../../config/settings.ts';
import { transcriptUrl } from '../../events/completion.ts';
import type { Dialler } from '../../gateway/dialling/dialler.ts';
import { ForkLines } from '../forks/fork-lines.ts';
import { NodeForkSecrets } from '../forks/fork-secrets.ts';
import { openNodeTapes, type NodeTapes } from '../recording/node-tapes.ts';
import { interruptionsFor } from './interruptions.ts';
import { NodeInvitations } from './invitations.ts';
import type { PublishedAgents } from './published-agents.ts';
import { NodeQueues } from './queues.ts';
import { NodeSounds } from './sounds.ts';
import { NodeSummaries } from './summaries.ts';
import { NodeToolCaller, type NodeToolCallerOptions } from './tool-caller.ts';

/** What the world of a node's calls is made of. */
export interface CallPortsOptions {
  readonly settings: Settings;
  readonly paths: DataPaths;
  readonly index: number;
  readonly clock: Clock;
  readonly lifetime: Lifetime;
  readonly agents: PublishedAgents;
  readonly dialler: AgentDialler;
  /** Dials whom a call is handed over to. */
  readonly targets: AgentDialler;
  /** Opens what forks are sent on; asked only once calls run. */
  readonly connections: () => Pick<Dialler, 'dial'>;
  readonly provider: ProviderOrders;
  /** Asks control. */
  readonly ask: NodeToolCallerOptions['ask'];
  readonly log: { error(fields: object, sentence: string): void };
}

/** What calls of a node ask of the world, and what is built on top of them. */
export function openCallPorts(options: CallPortsOptions): {
  readonly ports: CallPorts;
  readonly tapes: NodeTapes;
  readonly forks: ForkLines;
  readonly tools: NodeToolCaller;
  readonly queues: NodeQueues;
  readonly sounds: NodeSounds;
} {
  const { settings, paths, index, clock, lifetime, agents, dialler, targets, provider } = options;
  const forks = new ForkLines(options.connections, clock);
  const tools = new NodeToolCaller(options);
  const queues = new NodeQueues(options);
  const directory = join(paths.dataDir, 'sounds');
  const tapes = lifetime.own(openNodeTapes(options));
  const sounds = lifetime.own(new NodeSounds({ clock, egressAllow: settings.egressAllow, directory }));
  const invitations = new NodeInvitations({
    clock,
    signingSecrets: settings.signingSecret,
    mediaUrl: mediaUrlOf(settings, index),
  });
  const ports: CallPorts = {
    sounds,
    invitations,
    dialler: targets,
    queues,
    summaries: new NodeSummaries(options),
    provider,
    postCall: {
      rates: costRatesOf(settings),
      transcriptUrl: (callId) => transcriptUrl(publicUrlOf(settings), callId),
    },
    parts: [
      (desk) => new Handovers(desk),
      (desk) => new ProviderHangUp(desk),
      (desk) => new ProviderMove(desk),
      // Before agents are brought in: what the caller hears first is recorded.
      recordingFor(tapes),
      forksFor(forks, new NodeForkSecrets(settings.signingSecret, clock)),
      // Before agents are brought in: it is told first whom they speak to, and who speaks over them.
      interruptionsFor(settings, agents),
      agentsFor({ agents, dialler, ownTools: tools }),
    ],
  };
  return { ports, tapes, forks, tools, queues, sounds };
}
