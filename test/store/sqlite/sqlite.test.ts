import { statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { sql, type Kysely } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Schema } from '../../../src/store/schema.ts';
import { NodeSqlite, openSqlite } from '../../../src/store/sqlite/sqlite.ts';
import { atTheEnd, tempPath } from '../temp-store.ts';

function openTable(): { readonly db: Kysely<Schema>; readonly path: string; readonly writes: () => number } {
  const path = tempPath();
  const { db, writes } = openSqlite(path);
  atTheEnd(() => db.destroy());
  return { db, path, writes };
}

async function withMeta() {
  const opened = openTable();
  await opened.db.schema.createTable('meta').addColumn('key', 'text').addColumn('value', 'text').execute();
  return opened;
}

it('a file that is no database says which it is and why', () => {
  const path = tempPath();
  writeFileSync(path, 'not a database, and longer than the header of one: '.repeat(4));
  expect(() => openSqlite(path)).toThrow(`${path} cannot be opened: file is not a database`);
});

describe('the adapter of node:sqlite', () => {
  const refused: readonly (readonly [string, unknown])[] = [
    ['an object, which would be read as named parameters', { a: 1 }],
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a date', new Date(0)],
    ['an array', ['x']],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
  ];

  it.each(refused)('refuses %s, first or later', (_, value) => {
    const adapter = new NodeSqlite(new DatabaseSync(':memory:'));
    atTheEnd(() => adapter.close());
    expect(() => adapter.prepare('select ? as a').all([value])).toThrow(/parameter 1 of a statement is/);
    expect(() => adapter.prepare('select ? as a, ? as b').all(['x', value])).toThrow(/parameter 2/);
  });

  it('passes strings, numbers, bigints, null and bytes, and booleans as 1 and 0', () => {
    const adapter = new NodeSqlite(new DatabaseSync(':memory:'));
    atTheEnd(() => adapter.close());
    const row = adapter
      .prepare('select ? as a, ? as b, ? as c, ? as d, ? as e, ? as f, ? as g')
      .all(['x', 1.5, 7n, null, Uint8Array.of(1, 2), true, false])[0];
    expect({ ...(row as object) }).toEqual({
      a: 'x',
      b: 1.5,
      c: 7,
      d: null,
      e: Uint8Array.of(1, 2),
      f: 1,
      g: 0,
    });
  });

  it('forgets the statement used longest ago and goes on', () => {
    const adapter = new NodeSqlite(new DatabaseSync(':memory:'));
    atTheEnd(() => adapter.close());
    const first = adapter.prepare('select 0 as n');
    for (let n = 1; n < 600; n++) expect(adapter.prepare(`select ${n} as n`).all([])).toHaveLength(1);
    expect(adapter.prepare('select 599 as n')).toBe(adapter.prepare('select 599 as n'));
    expect(adapter.prepare('select 0 as n')).not.toBe(first);
  });

  it('offers no streaming, because statements are shared', () => {
    const adapter = new NodeSqlite(new DatabaseSync(':memory:'));
    atTheEnd(() => adapter.close());
    expect(() => adapter.prepare('select 1').iterate([])).toThrow(/not offered/);
  });
});

describe('an opened file', () => {
  it('is private, in WAL, keeps foreign keys and never checkpoints in a commit', async () => {
    const { db, path } = await withMeta();
    expect(statSync(path).mode & 0o077).toBe(0);
    const pragma = async (name: string) =>
      Object.values((await sql<object>`pragma ${sql.raw(name)}`.execute(db)).rows[0]!)[0];
    expect(await pragma('journal_mode')).toBe('wal');
    expect(await pragma('foreign_keys')).toBe(1);
    expect(await pragma('synchronous')).toBe(1);
    expect(await pragma('wal_autocheckpoint')).toBe(0);
  });

  it('counts what writes and not what reads', async () => {
    const { db, writes } = await withMeta();
    const before = writes();
    await db.selectFrom('meta').selectAll().execute();
    expect(writes()).toBe(before);
    await db.insertInto('meta').values({ key: 'a', value: 'b' }).execute();
    expect(writes()).toBe(before + 1);
  });

  it('lets no other statement into an open transaction', async () => {
    const { db } = await withMeta();
    const story: string[] = [];
    const writing = (name: string) =>
      db.transaction().execute(async (transaction) => {
        story.push(`${name} begins`);
        await transaction.insertInto('meta').values({ key: name, value: '1' }).execute();
        // Several turns of the queue, as many queries awaited one after the other.
        for (let i = 0; i < 20; i++) await transaction.selectFrom('meta').selectAll().execute();
        await transaction.insertInto('meta').values({ key: name, value: '2' }).execute();
        story.push(`${name} ends`);
      });
    const reading = db
      .selectFrom('meta')
      .select((select) => select.fn.countAll<number>().as('rows'))
      .executeTakeFirstOrThrow();
    const [, seen] = await Promise.all([writing('a'), reading, writing('b')]);
    expect(story).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
    expect(seen.rows % 2).toBe(0);
  });

  it('takes a failed transaction back whole and serves the next', async () => {
    const { db } = await withMeta();
    const failing = db.transaction().execute(async (transaction) => {
      await transaction.insertInto('meta').values({ key: 'a', value: '1' }).execute();
      await transaction
        .insertInto('meta')
        .values({ key: 'b', value: { not: 'text' } as unknown as string })
        .execute();
    });
    await expect(failing).rejects.toThrow(/parameter 2/);
    expect(await db.selectFrom('meta').selectAll().execute()).toEqual([]);
  });
});
