import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { systemClock } from '../../../src/base/clock.ts';
import { migrate } from '../../../src/store/migrations/migrate.ts';
import { withPatience } from '../../../src/store/postgres/postgres.ts';
import { Cluster } from './cluster.ts';
import { FOLDER_VARIABLE } from './once-per-run.ts';

const LOOK_EVERY_MS = 50;
let sharing: Promise<Cluster> | undefined;
let made = 0;

/** The name of a database that is still to be made; no two are alike. */
export function freshName(): string {
  return `test_${process.pid}_${++made}`;
}

/** The cluster of this run. */
export function sharedCluster(): Promise<Cluster> {
  return (sharing ??= openShared());
}

/** Makes a database: with the newest schema, as making that anew for each test would be most of the work. */
export async function createDatabase(
  cluster: Cluster,
  name: string,
  template: 'migrated' | 'template0' = 'migrated',
): Promise<string> {
  await queried(cluster.urlOf('postgres'), `create database ${name} template ${template}`);
  return cluster.urlOf(name);
}

export async function dropDatabase(cluster: Cluster, name: string): Promise<void> {
  await queried(cluster.urlOf('postgres'), `drop database if exists ${name} with (force)`);
}

/** What a stranger with a shell of PostgreSQL sees. */
export async function queried(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows;
  } finally {
    await client.end();
  }
}

async function openShared(): Promise<Cluster> {
  const folder = process.env[FOLDER_VARIABLE];
  if (folder === undefined)
    throw new Error('tests on PostgreSQL run under vitest, whose setup names its place');
  const cluster = new Cluster(join(folder, 'cluster'));
  const [claim, ready] = [join(folder, 'claim'), join(folder, 'ready')];
  if (claimed(claim)) {
    try {
      await cluster.make();
      await createDatabase(cluster, 'migrated', 'template0');
      await withPatience(cluster.urlOf('migrated'), (db) => migrate(db, systemClock));
    } catch (error) {
      rmSync(claim, { recursive: true });
      throw error;
    }
    mkdirSync(ready);
  }
  while (!existsSync(ready)) await sleep(LOOK_EVERY_MS);
  return cluster;
}

/** Whether this worker is the first of its run. */
function claimed(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch {
    // Another one makes it.
    return false;
  }
}
