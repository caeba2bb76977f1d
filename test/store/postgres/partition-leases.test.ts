import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { PARTITIONS } from '../../../src/delivery/partitions/partition.ts';
import { Counters, ENDPOINTS_VERSION } from '../../../src/store/counters.ts';
import { FleetNotices, LEASES_MOVED } from '../../../src/store/postgres/fleet-notices.ts';
import { fencesThatHold, nameOf, SqlPartitionLeases } from '../../../src/store/postgres/partition-leases.ts';
import { queried } from '../../fakes/postgres/databases.ts';
import { until } from '../../fakes/until.ts';
import { atTheEnd } from '../temp-store.ts';
import { freshPostgres } from './fresh-postgres.ts';

async function open() {
  const { url, db } = await freshPostgres();
  return { url, db, leases: new SqlPartitionLeases(db) };
}

const TTL_MS = 60_000;

describe('leases in a shared database', () => {
  it('are claimed by one only, however many ask at once', async () => {
    const { leases } = await open();
    const claims = await Promise.all(
      ['a', 'b', 'c', 'd'].map((holder) => leases.claim(holder, PARTITIONS, TTL_MS)),
    );
    const claimed = claims.flat().map(({ partition }) => partition);
    expect(claimed.toSorted((a, b) => a - b)).toEqual(Array.from({ length: PARTITIONS }, (_, n) => n));
  });

  it('are shared by as many as are there, and are told to those who hold them', async () => {
    const { leases } = await open();
    for (const holder of ['a', 'b', 'c']) await leases.beat(holder, TTL_MS);
    const shares = await Promise.all(['a', 'b', 'c'].map((holder) => leases.beat(holder, TTL_MS)));
    expect(shares.map(({ share }) => share)).toEqual([22, 21, 21]);
    await leases.claim('b', 2, TTL_MS);
    const { held } = await leases.beat('b', TTL_MS);
    expect(held).toEqual([
      { partition: 0, token: 1 },
      { partition: 1, token: 1 },
    ]);
    await leases.leave('a');
    expect((await leases.beat('c', TTL_MS)).share).toBe(32);
  });

  it('that ran out are claimed with a greater token, and the old one holds no more', async () => {
    const { db, leases, url } = await open();
    const [old] = await leases.claim('a', 1, TTL_MS);
    const holding = () => db.transaction().execute((transaction) => fencesThatHold(transaction, [old!]));
    expect([...(await holding())]).toEqual([nameOf(old!)]);
    expect(await leases.claim('b', PARTITIONS, TTL_MS)).toHaveLength(PARTITIONS - 1);
    await queried(url, 'update partition_leases set until_unix_ms = 1 where partition = 0');
    expect(await leases.claim('b', PARTITIONS, TTL_MS)).toEqual([{ partition: 0, token: 2 }]);
    expect([...(await holding())]).not.toContain(nameOf(old!));
    expect((await leases.beat('a', TTL_MS)).held).toEqual([]);
  });

  it('do not move while a record that was checked against them is being written', async () => {
    const { db, leases, url } = await open();
    const [mine] = await leases.claim('a', 1, TTL_MS);
    await queried(url, 'update partition_leases set until_unix_ms = 1 where partition = 0');
    await db.transaction().execute(async (transaction) => {
      await fencesThatHold(transaction, [mine!]);
      const others = await leases.claim('b', PARTITIONS, TTL_MS);
      expect(others.map(({ partition }) => partition)).not.toContain(mine!.partition);
    });
    expect(await leases.claim('b', PARTITIONS, TTL_MS)).toEqual([{ partition: 0, token: 2 }]);
  });
});

describe('notices of a shared database', () => {
  it('tell of a counter that was raised, and of leases that were let go', async () => {
    const { db, leases, url } = await open();
    const counters = new Counters(db, true);
    await counters.prepare();
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const notices = new FleetNotices({ url, clock: systemClock, log });
    atTheEnd(() => notices.close());
    const heard: number[] = [];
    let moves = 0;
    notices.on(ENDPOINTS_VERSION, (value) => heard.push(value));
    notices.on(LEASES_MOVED, () => moves++);
    notices.start();
    await until(() => heard.length === 1);
    await db.transaction().execute((transaction) => counters.raise(transaction, ENDPOINTS_VERSION, 2));
    await until(() => heard.length === 2);
    await leases.claim('a', 1, TTL_MS);
    await leases.release('a', [0]);
    await until(() => moves === 1);
    expect(heard).toEqual([0, 2]);
  });

  it('are looked for once the connection is back', async () => {
    const { db, url } = await open();
    const counters = new Counters(db, true);
    await counters.prepare();
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const notices = new FleetNotices({ url, clock: systemClock, log });
    atTheEnd(() => notices.close());
    const heard: number[] = [];
    notices.on(ENDPOINTS_VERSION, (value) => heard.push(value));
    notices.start();
    await until(() => heard.length === 1);
    await queried(
      url,
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'omnivoice notices' " +
        'and datname = current_database()',
    );
    await db.transaction().execute((transaction) => counters.raise(transaction, ENDPOINTS_VERSION, 1));
    await until(() => heard.includes(1));
    await until(() => notices.stats.lost === 1);
    expect(heard).toEqual([0, 1]);
  });
});
