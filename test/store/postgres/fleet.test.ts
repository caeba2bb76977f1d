import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { seededDice, systemClock } from '../../../src/base/clock.ts';
import { INBOUND_VERSION } from '../../../src/store/counters.ts';
import { MIGRATIONS } from '../../../src/store/migrations/migrate.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { until } from '../../fakes/until.ts';
import type { Cluster } from '../../fakes/postgres/cluster.ts';
import {
  createDatabase,
  dropDatabase,
  freshName,
  queried,
  sharedCluster,
} from '../../fakes/postgres/databases.ts';
import { endpointOf, eventOf, eventsOf, hookOf, TEST_KEYS, WORKSPACE } from '../samples.ts';
import { atTheEnd } from '../temp-store.ts';

const CHILD = join(import.meta.dirname, 'starting-child.ts');
const LONG = process.env['OMNIVOICE_TEST_LONG'] !== undefined;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await sharedCluster();
});

async function empty(): Promise<string> {
  const name = freshName();
  atTheEnd(() => dropDatabase(cluster, name));
  return createDatabase(cluster, name, 'template0');
}

async function openOn(databaseUrl: string): Promise<Store> {
  const store = await openStore({ path: '', databaseUrl, clock: systemClock, encryptionKeys: TEST_KEYS });
  atTheEnd(() => store.close());
  return store;
}

describe('twenty at once on an empty database', () => {
  it('all come up, and the schema was made once', async () => {
    const url = await empty();
    const stores = await Promise.all(Array.from({ length: 20 }, () => openOn(url)));
    expect(new Set(stores.map(({ journal }) => journal.epoch)).size).toBe(1);
    const steps = await queried(url, 'select version::int4 from schema_migrations order by version');
    expect(steps).toEqual(MIGRATIONS.map(({ version }) => ({ version })));
  });

  it('all come up as processes of their own, and each commits', { timeout: 120_000 }, async () => {
    const url = await empty();
    const children = Array.from({ length: LONG ? 20 : 5 }, (_, index) =>
      spawn(process.execPath, [CHILD, url, `nod_${index}`], { stdio: ['ignore', 'ignore', 'inherit'] }),
    );
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as unknown));
    expect(codes).toEqual(children.map(() => 0));
    const rows = await queried(url, 'select count(*)::int4 as n, max(position)::int4 as last from events');
    expect(rows).toEqual([{ n: children.length * 3, last: children.length * 3 }]);
  });

  it('refuse together, in a sentence, what a newer version wrote', async () => {
    const url = await empty();
    await (await openOn(url)).close();
    const next = MIGRATIONS.length + 1;
    await queried(url, `insert into schema_migrations values (${next}, 'later', '')`);
    await expect(openOn(url)).rejects.toThrow(`the store has schema ${next}, written by a newer Omnivoice`);
  });
});

describe('journals that commit at the same time', () => {
  it('never show a position before every lower one', async () => {
    const url = await empty();
    const stores = await Promise.all([1, 2, 3, 4].map(() => openOn(url)));
    const watcher = await openOn(url);
    const batches = LONG ? 500 : 40;
    const sent = { all: false };
    const writing = Promise.all(
      stores.map(async ({ journal }, writer) => {
        for (let first = 1; first < batches * 3; first += 3) {
          const records = [0, 1, 2].map((next) => eventOf(`call_${writer}`, first + next));
          await journal.commit({ incarnation: `nod_${writer}`, first, records });
        }
      }),
    ).finally(() => {
      sent.all = true;
    });
    const seen: number[] = [];
    const look = async () => {
      const query = { workspaceId: WORKSPACE, after: seen.at(-1) ?? 0, limit: 50 };
      for (const { position } of await watcher.journal.read(query)) seen.push(position);
    };
    while (!sent.all) await look();
    await writing;
    const total = stores.length * batches * 3;
    while (seen.length < total && seen.at(-1) !== total) await look();
    expect(seen).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  });

  it('take each event once, whoever sends it: a call moves to and fro between them', async () => {
    const seed = Number(process.env['OMNIVOICE_TEST_SEED'] ?? 7);
    const random = seededDice(seed);
    const url = await empty();
    const stores = await Promise.all([1, 2, 3].map(() => openOn(url)));
    const records = eventsOf('call_1', 60);
    for (let from = 0; from < records.length; from += 5) {
      // Two of them send it, and what came before it once more, at the same time.
      const again = Math.max(0, from - Math.floor(random() * 8));
      const senders = stores.toSorted(() => random() - 0.5).slice(0, 2);
      await Promise.all(senders.map(({ journal }) => journal.append(records.slice(again, from + 5))));
    }
    const read = await stores[0]!.journal.read({ workspaceId: WORKSPACE, limit: 100 });
    expect([seed, read.map(({ envelope }) => envelope.sequence)]).toEqual([
      seed,
      records.map(({ envelope }) => envelope.sequence),
    ]);
    expect((await stores[1]!.calls.get(WORKSPACE, 'call_1'))?.timeline).toHaveLength(60);
  });

  it('know the fence another one raised', async () => {
    const url = await empty();
    const [one, two] = await Promise.all([openOn(url), openOn(url)]);
    const under = (fence: number, sequence: number) => [{ ...eventOf('call_1', sequence), fence }];
    await one.journal.append(under(1, 1));
    await two.journal.append(under(2, 2));
    expect(await one.journal.append(under(1, 3))).toEqual([]);
    expect(one.stats.journal.fencedEvents).toBe(1);
  });

  it('owe every event to an endpoint that was made at another one', async () => {
    const url = await empty();
    const [one, two] = await Promise.all([openOn(url), openOn(url)]);
    await one.endpoints.create(endpointOf('whk_1'));
    const [owed] = await two.journal.append(eventsOf('call_1', 1));
    expect(owed!.deliveries).toMatchObject([{ endpointId: 'whk_1' }]);
    expect(await two.endpoints.get(WORKSPACE, 'whk_1')).toMatchObject({ id: 'whk_1' });
    await two.endpoints.remove(WORKSPACE, 'whk_1');
    const [free] = await one.journal.append([eventOf('call_1', 2)]);
    expect(free!.deliveries).toEqual([]);
  });
});

describe('hosts that purge at the same time', () => {
  it('take turns, and together delete everything once', async () => {
    const url = await empty();
    const stores = await Promise.all([1, 2, 3].map(() => openOn(url)));
    await stores[0]!.endpoints.create(endpointOf('whk_1', { enabled: false }));
    await stores[1]!.journal.append(eventsOf('call_1', 90));
    const query = { beforeUnixMs: Date.UTC(2100, 0), limit: 20 };
    for (let pass = 0; pass < 2; pass++) await Promise.all(stores.map((store) => store.purge(query)));
    const deleted = stores.map(({ stats }) => stats.retention.purgedEvents);
    expect(deleted.reduce((sum, n) => sum + n)).toBe(90);
    expect(await queried(url, 'select count(*)::int4 as n from deliveries')).toEqual([{ n: 0 }]);
  });
});

describe('hosts that share inbound hooks', () => {
  it('know one that was made or removed at another host, once they are told', async () => {
    const url = await empty();
    const [one, two] = await Promise.all([openOn(url), openOn(url)]);
    const versions: number[] = [];
    two.fleet!.notices.on(INBOUND_VERSION, (version) => versions.push(version));
    two.fleet!.notices.start();
    atTheEnd(() => two.fleet!.notices.close());
    await one.inbound.create(hookOf('inh_1'));
    await until(() => versions.at(-1) === 1);
    await two.inbound.refresh();
    expect(two.inbound.find('inh_1')).toEqual(one.inbound.find('inh_1'));
    await two.inbound.remove('inh_1');
    await until(() => versions.at(-1) === 2);
    await one.inbound.refresh();
    expect(one.inbound.find('inh_1')).toBeUndefined();
  });
});
