import type { Clock } from '../../base/clock.ts';
import type { CommandResult, CommandToCall } from '../../events/commands.ts';
import { LETTERS_SENT } from '../../store/postgres/fleet-notices.ts';
import type { Store } from '../../store/store.ts';
import type { Fleet } from '../fleet.ts';
import type { HostNodes } from '../nodes.ts';
import { FleetQueues } from './fleet-queues.ts';
import { HostQueues } from './host-queues.ts';

export interface OpenQueuesOptions {
  readonly store: Pick<Store, 'fleet'>;
  readonly nodes: Pick<HostNodes, 'command'>;
  readonly fleet: Pick<Fleet, 'territory'>;
  readonly clock: Clock;
  readonly log: { warn(fields: object, sentence: string): void };
}

/** Where members wait for handovers: of the calls of this host, or of all that share its database. */
export function openQueues({ store, nodes, fleet, clock, log }: OpenQueuesOptions): HostQueues | FleetQueues {
  const command = (incarnation: string, order: CommandToCall): Promise<CommandResult> =>
    nodes.command({ incarnation }, order);
  if (store.fleet === undefined) return new HostQueues({ clock, command });
  const { letters, notices } = store.fleet;
  const queues = new FleetQueues({ clock, command, letters, territory: fleet.territory, log });
  notices.on(LETTERS_SENT, (_, name) => queues.mail.heard(name));
  queues.start();
  return queues;
}
