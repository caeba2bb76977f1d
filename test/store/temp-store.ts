import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import { systemClock, type Clock } from '../../src/base/clock.ts';
import type { EncryptionKey } from '../../src/store/cipher.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import type { Cluster } from '../fakes/postgres/cluster.ts';
import {
  createDatabase,
  dropDatabase,
  freshName,
  queried,
  sharedCluster,
} from '../fakes/postgres/databases.ts';
import { TEST_KEYS } from './samples.ts';

/** Where the databases of the tests under way are: files, unless a cluster is named. */
let cluster: Cluster | undefined;

/** Runs `close` when the test is over, last in first. */
export function atTheEnd(close: () => void | Promise<void>): void {
  onTestFinished(() => close());
}

/** The same stories once on SQLite and once on PostgreSQL. */
export function describeOnEachEngine(name: string, stories: () => void): void {
  describe(`${name} (SQLite)`, () => {
    stories();
  });
  describeOnPostgres(name, stories);
}

/** Stories whose databases are in the cluster of this run. */
export function describeOnPostgres(name: string, stories: () => void): void {
  describe(`${name} (PostgreSQL)`, () => {
    beforeAll(async () => {
      cluster = await sharedCluster();
    });
    afterAll(() => {
      cluster = undefined;
    });
    stories();
  });
}

/** Whether the tests under way run on PostgreSQL. */
export function isOnPostgres(): boolean {
  return cluster !== undefined;
}

/** Where a fresh database will be, a file or a URL; it goes with the test. */
export function tempPath(): string {
  const on = cluster;
  if (on !== undefined) {
    const name = freshName();
    atTheEnd(() => dropDatabase(on, name));
    return on.urlOf(name);
  }
  const folder = mkdtempSync(join(tmpdir(), 'omnivoice-store-'));
  atTheEnd(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'store.db');
}

/** The options that open what `tempPath` named. */
export function placeOf(path: string): { readonly path: string; readonly databaseUrl?: string } {
  return isUrl(path) ? { path: '', databaseUrl: path } : { path };
}

/** Makes the database of a URL where there is none yet. */
export async function prepare(path: string, template?: 'migrated' | 'template0'): Promise<string> {
  if (cluster === undefined || !isUrl(path)) return path;
  const name = new URL(path).pathname.slice(1);
  const rows = await queried(
    cluster.urlOf('postgres'),
    `select 1 from pg_database where datname = '${name}'`,
  );
  if (rows.length === 0) await createDatabase(cluster, name, template);
  return path;
}

export async function openTempStore(
  options: { path?: string; clock?: Clock; encryptionKeys?: readonly EncryptionKey[] } = {},
): Promise<Store> {
  const path = await prepare(options.path ?? tempPath());
  const store = await openStore({
    ...placeOf(path),
    clock: options.clock ?? systemClock,
    encryptionKeys: options.encryptionKeys ?? TEST_KEYS,
    // A clock that stands would let nobody begin.
    ...(options.clock !== undefined && { commitSpacingMs: 0 }),
  });
  let isOpen = true;
  const close = async () => {
    if (isOpen) await store.close();
    isOpen = false;
  };
  atTheEnd(close);
  return { ...store, close };
}

/** What a stranger with a SQLite shell sees. */
export function rowsOf(path: string, sql: string): readonly Record<string, unknown>[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

/** The same on either engine; whole numbers as numbers, yes and no as 1 and 0. */
export async function rowsIn(path: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  return isUrl(path) ? (await queried(path, sql)).map(plain) : rowsOf(path, sql);
}

function plain(row: Record<string, unknown>): Record<string, unknown> {
  const told = Object.entries(row).map(([name, value]) => {
    if (typeof value === 'boolean') return [name, Number(value)] as const;
    return [name, typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value] as const;
  });
  return Object.fromEntries(told);
}

function isUrl(path: string): boolean {
  return path.startsWith('postgres:');
}
