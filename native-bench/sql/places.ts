import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { MIB } from '../../src/base/units.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { Cluster } from '../../test/fakes/postgres/cluster.ts';
import { queried } from '../../test/fakes/postgres/databases.ts';
import { TEST_KEYS } from '../../test/store/samples.ts';
import { fillPostgres, fillSqlite } from './fill.ts';

/** Where a store is that is filled and asked. */
export interface Place {
  readonly engine: string;
  open(): Promise<Store>;
  /** While the store is closed, and has its endpoints. */
  fill(rows: number): Promise<void>;
  sizeMb(): Promise<number>;
  close(): Promise<void>;
}

// One after the other is no load: what a commit takes is asked here, not how long it may wait for others.
const ALONE = { clock: systemClock, encryptionKeys: TEST_KEYS, commitSpacingMs: 0 };

/** A file in `folder`. */
export function onSqlite(folder: string): Place {
  const path = join(folder, 'store.db');
  return {
    engine: 'SQLite',
    open: () => openStore({ path, ...ALONE }),
    fill: async (rows) => fillSqlite(path, rows),
    sizeMb: async () => statSync(path).size / MIB,
    close: async () => {},
  };
}

/** A PostgreSQL of its own in `folder`, which writes as one that is used in earnest does. */
export async function onPostgres(folder: string): Promise<Place> {
  // As root it runs as a user of its own, who has to get there.
  chmodSync(folder, 0o755);
  const cluster = new Cluster(join(folder, 'postgres'));
  await cluster.make();
  const url = cluster.urlOf('postgres');
  for (const [name, value] of Object.entries(IN_EARNEST)) {
    await queried(url, `alter system set ${name} = '${value}'`);
  }
  await cluster.stop('fast');
  await cluster.start();
  const [told] = await queried(url, 'show server_version');
  return {
    engine: `PostgreSQL ${String(told?.['server_version'])}`,
    open: () => openStore({ path: '', databaseUrl: url, ...ALONE }),
    fill: (rows) => fillPostgres(url, rows),
    sizeMb: async () => {
      const [size] = await queried(url, "select pg_database_size('postgres') as bytes");
      return Number(size?.['bytes']) / MIB;
    },
    close: () => cluster.remove(),
  };
}

/** Against what tests set; a gigabyte of buffers is little beside what is filled. */
const IN_EARNEST = { fsync: 'on', full_page_writes: 'on', shared_buffers: '1GB', max_wal_size: '4GB' };
