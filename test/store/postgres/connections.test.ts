import { sql, type Kysely } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { Connections, wholeNumber } from '../../../src/store/postgres/connections.ts';
import { openPostgres } from '../../../src/store/postgres/postgres.ts';
import type { Schema } from '../../../src/store/schema.ts';
import type { Cluster } from '../../fakes/postgres/cluster.ts';
import { sharedCluster } from '../../fakes/postgres/databases.ts';
import { atTheEnd } from '../temp-store.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await sharedCluster();
});

function open(): Kysely<Schema> {
  const postgres = openPostgres(cluster.urlOf('migrated'));
  atTheEnd(() => postgres.close());
  return postgres.db;
}

describe('a value on its way through PostgreSQL', () => {
  it('comes back as a number where it is a whole number of 64 bits, a count or a sum', async () => {
    const { rows } = await sql`
      select 9007199254740991::int8 as big, count(*) as n, sum(x::int8) as total from generate_series(1, 3) as x
    `.execute(open());
    expect(rows).toEqual([{ big: Number.MAX_SAFE_INTEGER, n: 3, total: 6 }]);
  });

  it('is refused where a number could not tell it from its neighbour, and the connection goes on', async () => {
    const db = open();
    const beyond = sql`select 9007199254740993::int8 as beyond`.execute(db);
    await expect(beyond).rejects.toThrow('9007199254740993, which is no whole number below 2^53');
    expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }]);
    expect(wholeNumber('-9007199254740991')).toBe(Number.MIN_SAFE_INTEGER);
  });

  it('keeps every letter but NUL, which PostgreSQL has no place for', async () => {
    const text = 'Grüße 🎙 \u{2028}\n';
    const { rows } = await sql`select ${text}::text as kept, ${'a\0b'}::text as nul`.execute(open());
    expect(rows).toEqual([{ kept: text, nul: 'a\u{FFFD}b' }]);
  });

  it.each([[undefined], [Infinity], [{ a: 1 }], [[1]], [new Date(0)]])(
    'is refused where SQL cannot hold it: %s',
    async (parameter) => {
      await expect(sql`select ${parameter}::text`.execute(open())).rejects.toThrow(/SQL cannot hold/);
    },
  );

  it('is sorted by its bytes, whatever language the database speaks', async () => {
    const { rows } = await sql<{ name: string }>`
      select collation_name as name from information_schema.columns
      where table_schema = 'public' and data_type = 'text' group by collation_name`.execute(open());
    expect(rows).toEqual([{ name: 'C' }]);
  });
});

describe('a database that does not answer', () => {
  it('fails as unavailable, at once, and is counted', async () => {
    const postgres = openPostgres('postgres://nobody@127.0.0.1:1/none');
    atTheEnd(() => postgres.close());
    await expect(sql`select 1`.execute(postgres.db)).rejects.toMatchObject({ code: 'unavailable' });
    expect(postgres.stats.lost).toBe(1);
  });

  it('lets a thousand wait for a connection and refuses the next', async () => {
    const connections = new Connections({ url: cluster.urlOf('migrated'), connectionsMax: 1 });
    const held = await connections.connect();
    const waiting = Array.from({ length: 1_000 }, () => connections.connect());
    await expect(connections.connect()).rejects.toMatchObject({ code: 'overloaded' });
    expect(connections.stats.refused).toBe(1);
    held.release();
    for (const client of waiting) (await client).release();
    await connections.end();
  });

  it('ends a statement that takes too long for everybody who waits behind it', async () => {
    const { rows } = await sql`
      select name, setting::int8 as ms from pg_settings
      where name in ('statement_timeout', 'idle_in_transaction_session_timeout') order by name`.execute(
      open(),
    );
    expect(rows).toEqual([
      { name: 'idle_in_transaction_session_timeout', ms: 5_000 },
      { name: 'statement_timeout', ms: 10_000 },
    ]);
  });
});
