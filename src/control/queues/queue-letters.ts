import type { QueueOwner } from '../../api/queues/queue-desk.ts';
import { isObject, parseObject, textOf, type JsonObject } from '../../base/json.ts';
import type { QueueAsk } from '../../events/asks.ts';
import type { CommandResult, CommandToCall } from '../../events/commands.ts';

/** A member that is connected at another host than the one that keeps its queue. */
export interface FarMember {
  readonly id: string;
  readonly owner: QueueOwner;
  readonly queue: string;
  readonly label: string | null;
  /** Since it asked for calls or was asked last; null where it asks for none. */
  readonly idleMs: number | null;
  /** The offer it has in front of it. */
  readonly offerId: string | null;
}

/** What one control process may ask another. */
export type QueueQuestion =
  | { readonly name: 'list'; readonly owner: QueueOwner }
  | { readonly name: 'command'; readonly incarnation: string; readonly order: CommandToCall };

/** What control processes that share a database say to each other of queues. */
export type QueueLetter =
  /** All members of the writer, said again as long as they are there. */
  | { readonly type: 'members'; readonly members: readonly FarMember[] }
  | { readonly type: 'said'; readonly memberId: string; readonly message: JsonObject }
  | { readonly type: 'left'; readonly memberId: string }
  /** `token`: of the lease under which the queues are kept. */
  | { readonly type: 'told'; readonly memberId: string; readonly token: number; readonly news: JsonObject }
  /** A node of the writer says that a handover waits, or does not. */
  | { readonly type: 'node_said'; readonly ask: QueueAsk; readonly incarnation: string }
  | { readonly type: 'question'; readonly id: number; readonly question: QueueQuestion }
  | { readonly type: 'answer'; readonly id: number; readonly result: CommandResult };

const TYPES: readonly QueueLetter['type'][] = [
  'members',
  'said',
  'left',
  'told',
  'node_said',
  'question',
  'answer',
];

/** A letter as a process of this version wrote it; undefined where it is none of ours. */
export function readQueueLetter(text: string): QueueLetter | undefined {
  const letter = parseObject(text);
  const type = TYPES.find((known) => known === textOf(letter?.['type']));
  return type !== undefined && isObject(letter) ? (letter as unknown as QueueLetter) : undefined;
}
