import { sql, type Kysely, type Selectable } from 'kysely';
import type { DeadLetterQuery, Page } from '../../api/ports.ts';
import { COUNTED_MAX, cursorOf, placeIn, requireReachable, type OrderKey } from '../page.ts';
import type { Schema } from '../schema.ts';

type DeadRow = Selectable<Schema['deliveries']> & { readonly body: string | null };
/** Where a page ended: when the last one was given up, and its id. */
type Place = readonly [number, string];
const ORDER: OrderKey = ['settled_unix_ms', 'id'];

/**
 * Dead letters nobody has replayed yet, of several endpoints, newest first. Each endpoint is asked by itself,
 * as its index is, and the answers are merged: a page costs a page of each, however many dead there are.
 */
export async function deadLetterPage(
  db: Kysely<Schema>,
  endpoints: readonly { readonly id: string }[],
  query: DeadLetterQuery,
): Promise<Page<DeadRow>> {
  const skipped = query.cursor === undefined ? (query.page - 1) * query.limit : 0;
  const wanted = skipped + query.limit + 1;
  const before = query.cursor === undefined ? undefined : (placeIn(query.cursor, ORDER) as Place);
  const found: DeadRow[] = [];
  requireReachable(query);
  let total: number | null = 0;
  for (const { id } of endpoints) {
    const dead: number | null = total === null ? null : await countOf(db, id, query);
    total = total === null || dead === null ? null : total + dead;
    found.push(...(await rowsOf(db, id, query, { wanted, before })));
  }
  found.sort((a, b) => newestFirst(placeOf(a), placeOf(b)));
  const items = found.slice(skipped, skipped + query.limit);
  const last = items.at(-1);
  const isMore = found.length > skipped + items.length && last !== undefined;
  const nextCursor = isMore ? cursorOf(placeOf(last)) : null;
  return { items, total, nextCursor };
}

function deadOf(db: Kysely<Schema>, endpointId: string, query: DeadLetterQuery) {
  let dead = db
    .selectFrom('deliveries')
    .where('deliveries.endpoint_id', '=', endpointId)
    .where('deliveries.test_mode', '=', query.testMode)
    // As a literal: with a parameter the planner could not tell that the partial index holds it.
    .where('deliveries.state', '=', sql.lit('dead'))
    .where('deliveries.replayed_as', 'is', null);
  if (query.sinceUnixMs !== undefined)
    dead = dead.where('deliveries.settled_unix_ms', '>=', query.sinceUnixMs);
  if (query.untilUnixMs !== undefined)
    dead = dead.where('deliveries.settled_unix_ms', '<', query.untilUnixMs);
  return dead;
}

/**
 * How many there are; null where they are very many. Counted in the order of the index that holds nothing
 * else: SQLite prefers the one by state, which knows nothing of replays, and would look at every row.
 */
async function countOf(
  db: Kysely<Schema>,
  endpointId: string,
  query: DeadLetterQuery,
): Promise<number | null> {
  const dead = deadOf(db, endpointId, query)
    .select('deliveries.id')
    .orderBy('deliveries.settled_unix_ms', 'desc')
    .orderBy('deliveries.id', 'desc')
    .limit(COUNTED_MAX + 1);
  const { total } = await db
    .selectFrom(dead.as('counted'))
    .select((select) => select.fn.countAll<number | string | bigint>().as('total'))
    .executeTakeFirstOrThrow();
  return Number(total) > COUNTED_MAX ? null : Number(total);
}

async function rowsOf(
  db: Kysely<Schema>,
  endpointId: string,
  query: DeadLetterQuery,
  { wanted, before }: { readonly wanted: number; readonly before: Place | undefined },
): Promise<readonly DeadRow[]> {
  let dead = deadOf(db, endpointId, query)
    .leftJoin('events', 'events.position', 'deliveries.event_position')
    .selectAll('deliveries')
    .select('events.body')
    .orderBy('deliveries.settled_unix_ms', 'desc')
    .orderBy('deliveries.id', 'desc')
    .limit(wanted);
  if (before !== undefined) {
    const [settled, id] = before;
    dead = dead.where((where) =>
      where(where.refTuple('deliveries.settled_unix_ms', 'deliveries.id'), '<', where.tuple(settled, id)),
    );
  }
  return dead.execute();
}

function placeOf(row: DeadRow): Place {
  return [row.settled_unix_ms ?? 0, row.id];
}

function newestFirst(a: Place, b: Place): number {
  return b[0] - a[0] || (a[1] < b[1] ? 1 : -1);
}
