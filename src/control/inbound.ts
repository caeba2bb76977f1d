import type { InboundDesk } from '../api/inbound/inbound-desk.ts';
import type { CallStore, InboundHookStore, Nodes } from '../api/ports.ts';
import type { Clock } from '../base/clock.ts';
import type { Closeable } from '../base/lifetime.ts';
import type { CommandResult } from '../events/commands.ts';
import type { CommittedEvent } from '../events/journal.ts';
import { EVERYTHING, type Territory } from '../delivery/partitions/lease-table.ts';
import { ActionRunner, type CallDesk } from '../records/inbound/action-runner.ts';
import type { InboundWork } from '../records/inbound/inbound-store.ts';
import { SchemaDesk } from '../records/inbound/schema/schema-desk.ts';

const LOOK_AT_OTHERS_MS = 1_000;

export interface HostInboundOptions {
  readonly store: { readonly inbound: InboundHookStore; readonly calls: Pick<CallStore, 'get'> };
  readonly nodes: Pick<Nodes, 'command'>;
  /** Whose calls this process delivers; of several that share a database one carries out what was asked. */
  readonly territory?: Territory;
  /** Tells everybody of events, in the very turn of their commit. */
  readonly announce: (events: readonly CommittedEvent[]) => void;
  readonly clock: Clock;
  readonly log: { warn(fields: object, sentence: string): void };
}

/** Those who work for the inbound hooks of a host: schemas in their threads, and what was accepted. */
export class HostInbound implements InboundDesk, Closeable {
  readonly schemas: SchemaDesk;
  readonly runner: ActionRunner;
  readonly announce: HostInboundOptions['announce'];

  constructor({ store, nodes, territory = EVERYTHING, announce, clock, log }: HostInboundOptions) {
    this.announce = announce;
    this.schemas = new SchemaDesk({ clock });
    const calls = callDeskOf(store.calls, nodes);
    this.runner = new ActionRunner({ work: workOf(store.inbound, territory, clock), calls, clock, log });
  }

  /** Begins with what an earlier life left undone. */
  wake(): void {
    this.runner.wake();
  }

  async close(): Promise<void> {
    await this.runner.close();
    await this.schemas.close();
  }
}

/** What is due, as far as it is this process's to carry out: that of one call is one process's at a time. */
function workOf(work: InboundWork, territory: Territory, clock: Pick<Clock, 'unixMs'>): InboundWork {
  let isOthersDue = false;
  return {
    due: async (byUnixMs, limit) => {
      const due = await work.due(byUnixMs, limit);
      const ours = due.filter(({ id, commands, done }) => territory.holds(commands[done]?.callId ?? id));
      isOthersDue = ours.length < due.length;
      return ours;
    },
    nextDueUnixMs: async () => {
      const next = await work.nextDueUnixMs();
      if (next === undefined || !isOthersDue) return next;
      // What others have not done yet may become ours with its partition.
      return Math.max(next, clock.unixMs() + LOOK_AT_OTHERS_MS);
    },
    progressed: (id, progress) => work.progressed(id, progress),
  };
}

/** Commands go to the node that owns the call, if there is such a call in the hook's workspace and mode. */
function callDeskOf(calls: Pick<CallStore, 'get'>, nodes: Pick<Nodes, 'command'>): CallDesk {
  const refused = (detail: string): CommandResult => ({ ok: false, fault: 'failed_precondition', detail });
  return {
    command: async ({ workspaceId, testMode }, { callId, command }) => {
      const call = await calls.get(workspaceId, callId);
      if (call === undefined || call.test_mode !== testMode) {
        return { ok: false, fault: 'call_not_found', detail: `there is no call ${callId}` };
      }
      if (call.state === 'ended') return refused('this call has ended');
      return nodes.command(call, {
        name: 'call_command',
        call_id: call.id,
        workspace_id: call.workspace_id,
        command,
      });
    },
  };
}
