import { sleep } from '../../../base/clock.ts';
import { newId } from '../../../base/ids.ts';
import type { DeadLetterQuery, ReplayWish } from '../../ports.ts';
import type { RouteContext } from '../route-context.ts';

/** One request replays this many at most; the answer says when there are more. */
export const REPLAYS_MAX = 10_000;
const PAGE_ROWS = 500;
// Everybody's commits wait while a transaction runs: many short ones, with a pause between.
const ROWS_AT_A_TIME = 25;

/** What came of a replay of many. */
export interface Replayed {
  readonly replayed: number;
  /** There are more than one request takes: ask again. */
  readonly more: boolean;
}

type Context = Pick<RouteContext, 'ports' | 'delivery' | 'clock'>;

/** Sends deliveries again, outside the lanes; the ids of the new ones, in the same order. */
export async function replay(
  deliveryIds: readonly string[],
  asNewEvent: boolean,
  { ports, delivery, clock }: Context,
): Promise<readonly string[]> {
  const made: string[] = [];
  for (let from = 0; from < deliveryIds.length; from += ROWS_AT_A_TIME) {
    if (from > 0) await sleep(clock, 1);
    const wishes = deliveryIds.slice(from, from + ROWS_AT_A_TIME).map((deliveryId): ReplayWish => ({
      deliveryId,
      replayId: newId('dlv', clock),
      sentAs: asNewEvent ? newId('evt', clock) : null,
    }));
    const pending = await ports.deliveries.replay(wishes);
    delivery.resend(pending);
    made.push(...pending.map(({ id }) => id));
  }
  return made;
}

/** Replays every dead letter of a range, oldest last, up to the limit of one request. */
export async function replayRange(
  query: Omit<DeadLetterQuery, 'page' | 'limit' | 'cursor'>,
  asNewEvent: boolean,
  context: Context,
): Promise<Replayed> {
  let replayed = 0;
  let cursor: string | null = null;
  do {
    const limit = Math.min(PAGE_ROWS, REPLAYS_MAX - replayed);
    const page = { ...query, page: 1, limit, ...(cursor !== null && { cursor }) };
    const { items, nextCursor } = await context.ports.deliveries.deadLetters(page);
    const ids = items.map(({ id }) => id);
    replayed += (await replay(ids, asNewEvent, context)).length;
    cursor = nextCursor;
  } while (cursor !== null && replayed < REPLAYS_MAX);
  return { replayed, more: cursor !== null };
}
