import { sql, type RawBuilder, type SelectQueryBuilder } from 'kysely';
import type { Page, PageQuery } from '../api/ports.ts';
import { VoiceError } from '../base/errors.ts';
import type { Schema } from './schema.ts';

/** The columns a list is in the order of, unique together; the index behind the list ends in them. */
export type OrderKey = readonly [string, ...string[]];

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
  const { total } = await counted
    .clearSelect()
    .select(sql<number | string | bigint>`count(*)`.as('total'))
    .executeTakeFirstOrThrow();
  let sorted = matching.limit(query.limit + 1);
  for (const column of order) sorted = sorted.orderBy(sql.ref(column), 'desc');
  if (query.cursor !== undefined) {
    sorted = sorted.where(before(order, decoded(query.cursor, order)));
  } else if (query.page > 1) {
    sorted = sorted.offset((query.page - 1) * query.limit);
  }
  const rows = await sorted.execute();
  const items = rows.slice(0, query.limit);
  const last = items.at(-1);
  return {
    items,
    total: Number(total),
    nextCursor: rows.length > items.length && last !== undefined ? encoded(last, order) : null,
  };
}

function before(order: OrderKey, values: readonly (string | number)[]): RawBuilder<boolean> {
  const columns = sql.join(order.map((column) => sql.ref(column)));
  return sql<boolean>`(${columns}) < (${sql.join(values)})`;
}

function encoded(row: object, order: OrderKey): string {
  const fields = row as Readonly<Record<string, unknown>>;
  return Buffer.from(JSON.stringify(order.map((column) => fields[column]))).toString('base64url');
}

function decoded(cursor: string, order: OrderKey): readonly (string | number)[] {
  const values = parsed(Buffer.from(cursor, 'base64url').toString('utf8'));
  const isKey =
    Array.isArray(values) &&
    values.length === order.length &&
    values.every((value) => typeof value === 'string' || Number.isFinite(value));
  if (!isKey) {
    throw new VoiceError('invalid_argument', 'the cursor is not one of ours', { field: 'cursor' });
  }
  return values as readonly (string | number)[];
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
