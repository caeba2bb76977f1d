import { chmodSync, existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster } from './cluster.ts';

/** Where the workers of one run find its cluster; whoever needs it first makes it. */
export const FOLDER_VARIABLE = 'OMNIVOICE_TEST_POSTGRES_FOLDER';

/** A file system in memory. A database is some 600 files: making one there takes a tenth of the time of a disk. */
const MEMORY = '/dev/shm';
/** A container may have 64 MB there, which its databases would fill. */
const MEMORY_BYTES_MIN = 2 ** 31;

let made: string | undefined;

/** Names a place for the cluster of this run. */
export function setup(): void {
  if (process.env[FOLDER_VARIABLE] !== undefined) return;
  made = mkdtempSync(join(hasMemory() ? MEMORY : tmpdir(), 'omnivoice-postgres-'));
  // Its server runs as another user where this one is root.
  chmodSync(made, 0o755);
  process.env[FOLDER_VARIABLE] = made;
}

/** Takes down what was made there. */
export async function teardown(): Promise<void> {
  if (made === undefined) return;
  await new Cluster(join(made, 'cluster')).remove();
  rmSync(made, { recursive: true, force: true });
}

function hasMemory(): boolean {
  if (!existsSync(MEMORY)) return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize >= MEMORY_BYTES_MIN;
}
