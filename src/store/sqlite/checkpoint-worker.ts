import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../../base/errors.ts';

/**
 * How thorough a checkpoint is: PASSIVE disturbs nobody; RESTART makes the next write begin the WAL anew,
 * TRUNCATE also cuts the file, and both want the writer to stand aside.
 */
export type CheckpointMode = 'PASSIVE' | 'RESTART' | 'TRUNCATE';

/** What a checkpoint did: pages in the WAL, and how many of them are in the database file now. */
export type CheckpointResult =
  | { readonly ok: true; readonly busy: boolean; readonly walPages: number; readonly donePages: number }
  | { readonly ok: false; readonly detail: string };

/** What the worker is started with. */
export interface CheckpointTask {
  readonly path: string;
  readonly busyTimeoutMs: number;
}

const port = parentPort;
invariant(port !== null, 'checkpoints run in a worker thread');

// A connection of its own: one on the writer's would stall the writer (135-175 ms after 20 000 rows).
const { path, busyTimeoutMs } = workerData as CheckpointTask;
const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0');

port.on('message', (mode: CheckpointMode) => port.postMessage(checkpoint(mode)));

function checkpoint(mode: CheckpointMode): CheckpointResult {
  try {
    const row = database.prepare(`PRAGMA wal_checkpoint(${mode})`).get();
    return {
      ok: true,
      busy: row?.['busy'] !== 0,
      walPages: Number(row?.['log']),
      donePages: Number(row?.['checkpointed']),
    };
  } catch (error) {
    return { ok: false, detail: String(error) };
  }
}
