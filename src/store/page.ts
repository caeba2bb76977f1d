import { sql, type RawBuilder, type SelectQueryBuilder } from 'kysely';
import type { Page, PageQuery } from '../api/ports.ts';
import { VoiceError } from '../base/errors.ts';
import type { Schema } from './schema.ts';

/** Rows that are counted and walked past; beyond them a list costs what its page costs. */
export const COUNTED_MAX = 10_000;

/** The columns a list is in the order of, unique together; the index behind the list ends in them. */
export type OrderKey = readonly [string, ...string[]];

// Of the columns that lists are in the order of, those that hold whole numbers; all others hold text.
const WHOLE_COLUMNS: ReadonlySet<string> = new Set(['event_position', 'received_unix_ms', 'settled_unix_ms']);

/**
 * One page, newest first. The cursor is the order key of the last row shown, so that rows which come in
 * meanwhile neither shift nor repeat a page; `page` counts from 1 and serves where no cursor is given.
 * `counted` finds the same rows with fewer joins.
 */
export async function pageOf<Table extends keyof Schema, Row extends object>(
  matching: SelectQueryBuilder<Schema, Table, Row>,
  order: OrderKey,
  query: PageQuery,
  counted: Pick<typeof matching, 'clearSelect'> = matching,
): Promise<Page<Row>> {
  requireReachable(query);
  const total = await totalOf(counted);
  let sorted = matching.limit(query.limit + 1);
  for (const column of order) sorted = sorted.orderBy(sql.ref(column), 'desc');
  if (query.cursor !== undefined) {
    sorted = sorted.where(before(order, placeIn(query.cursor, order)));
  } else if (query.page > 1) {
    sorted = sorted.offset((query.page - 1) * query.limit);
  }
  const rows = await sorted.execute();
  const items = rows.slice(0, query.limit);
  const last = items.at(-1);
  return {
    items,
    total,
    nextCursor: rows.length > items.length && last !== undefined ? encoded(last, order) : null,
  };
}

/** Refuses pages that are found by walking past a great many rows: whoever wants more takes the cursor. */
export function requireReachable({
  page,
  limit,
  cursor,
}: Pick<PageQuery, 'page' | 'limit' | 'cursor'>): void {
  if (cursor !== undefined || (page - 1) * limit <= COUNTED_MAX) return;
  throw new VoiceError('invalid_argument', 'so far back only the cursor leads', { field: 'page' });
}

/** How many rows there are; null where they are so many that counting would cost more than the page. */
async function totalOf<Table extends keyof Schema, Row>(
  matching: Pick<SelectQueryBuilder<Schema, Table, Row>, 'clearSelect'>,
): Promise<number | null> {
  const beyond = await matching
    .clearSelect()
    .select(sql.lit(1).as('one'))
    .limit(1)
    .offset(COUNTED_MAX)
    .executeTakeFirst();
  if (beyond !== undefined) return null;
  const { total } = await matching
    .clearSelect()
    .select(sql<number | string | bigint>`count(*)`.as('total'))
    .executeTakeFirstOrThrow();
  return Number(total);
}

function before(order: OrderKey, values: readonly (string | number)[]): RawBuilder<boolean> {
  const columns = sql.join(order.map((column) => sql.ref(column)));
  return sql<boolean>`(${columns}) < (${sql.join(values)})`;
}

function encoded(row: object, order: OrderKey): string {
  const fields = row as Readonly<Record<string, unknown>>;
  return cursorOf(order.map((column) => fields[column]));
}

/** A place in a list as its readers keep it. */
export function cursorOf(place: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/**
 * The place a cursor names. What cannot be a value of its column is refused here: PostgreSQL ends the
 * statement over it, where SQLite compares it as it is.
 */
export function placeIn(cursor: string, order: OrderKey): readonly (string | number)[] {
  const values = parsed(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (!Array.isArray(values) || values.length !== order.length || !values.every(isOf(order))) {
    throw new VoiceError('invalid_argument', 'the cursor is not one of ours', { field: 'cursor' });
  }
  return values as readonly (string | number)[];
}

function isOf(order: OrderKey): (value: unknown, index: number) => boolean {
  return (value, index) =>
    WHOLE_COLUMNS.has(order[index] ?? '') ? Number.isSafeInteger(value) : typeof value === 'string';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not ours either way; the caller says so.
    return undefined;
  }
}

/** The same page with its rows told in the words of a port. */
export function mapped<Row, Item>(page: Page<Row>, tell: (row: Row) => Item): Page<Item> {
  return { ...page, items: page.items.map(tell) };
}
