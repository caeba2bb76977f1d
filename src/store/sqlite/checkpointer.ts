import { Worker } from 'node:worker_threads';
import type { Cancel, Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Closeable } from '../../base/lifetime.ts';
import { MIB } from '../../base/units.ts';
import type { StoreLog } from '../store-log.ts';
import type { CheckpointMode, CheckpointResult, CheckpointTask } from './checkpoint-worker.ts';
import { BUSY_TIMEOUT_MS } from './sqlite.ts';

const INTERVAL_MS = 200;
/** Beyond this the WAL begins anew: under steady writing a PASSIVE pass never catches up by itself. */
const RESTART_BYTES = 16 * MIB;
/** Beyond this its file is cut too, which takes tens of milliseconds: only after an outage worth it. */
const TRUNCATE_BYTES = 256 * MIB;
/** A page and its frame header. */
const WAL_PAGE_BYTES = 4096 + 24;
/** A disk that takes longer is reported; commits are let go on. */
const ANSWER_WITHIN_MS = 10_000;

export interface CheckpointerOptions {
  readonly path: string;
  readonly clock: Clock;
  /** How many writes there have been: nothing is done where nothing was written. */
  readonly writes: () => number;
  /** Keeps the write connection for `during`: else a writer waits for the file's lock, its thread stopped. */
  readonly holdWriter: (during: () => Promise<void>) => Promise<void>;
  readonly log: StoreLog;
  readonly restartBytes?: number;
  readonly truncateBytes?: number;
}

/** Moves the WAL into the database from a worker thread, so that no commit pays for it. */
export class Checkpointer implements Closeable {
  readonly stats = {
    passes: 0,
    checkpoints: 0,
    busyCheckpoints: 0,
    restarts: 0,
    truncations: 0,
    failures: 0,
    walBytes: 0,
  };
  readonly #options: CheckpointerOptions;
  #worker: Worker | undefined;
  #cancel: Cancel = () => {};
  #pass: Promise<void> = Promise.resolve();
  #seenWrites = -1;
  #isClosed = false;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    this.#arm();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#pass;
    await this.#worker?.terminate();
  }

  #arm(): void {
    if (this.#isClosed) return;
    this.#cancel = this.#options.clock.after(INTERVAL_MS, () => {
      this.#pass = this.#checkpoint().finally(() => {
        this.stats.passes++;
        this.#arm();
      });
    });
  }

  async #checkpoint(): Promise<void> {
    const writes = this.#options.writes();
    if (writes === this.#seenWrites) return;
    try {
      await this.#ask('PASSIVE');
      if (this.stats.walBytes > (this.#options.truncateBytes ?? TRUNCATE_BYTES)) {
        await this.#options.holdWriter(() => this.#ask('TRUNCATE'));
        this.stats.truncations++;
      } else if (this.stats.walBytes > (this.#options.restartBytes ?? RESTART_BYTES)) {
        // Once more what was written meanwhile, so that commits wait for a few pages only.
        await this.#ask('PASSIVE');
        await this.#options.holdWriter(() => this.#ask('RESTART'));
        this.stats.restarts++;
      }
      this.#seenWrites = writes;
    } catch (error) {
      this.stats.failures++;
      // The next pass starts a fresh worker; until then commits go on and the WAL grows.
      await this.#worker?.terminate();
      this.#worker = undefined;
      this.#options.log.warn({ detail: messageOf(error) }, 'a checkpoint of the store failed');
    }
  }

  async #ask(mode: CheckpointMode): Promise<void> {
    const result = await this.#answerOf((this.#worker ??= this.#startWorker()), mode);
    if (!result.ok) throw new Error(result.detail);
    this.stats.checkpoints++;
    if (result.busy) this.stats.busyCheckpoints++;
    this.stats.walBytes = Math.max(0, result.walPages) * WAL_PAGE_BYTES;
  }

  #startWorker(): Worker {
    const task: CheckpointTask = { path: this.#options.path, busyTimeoutMs: BUSY_TIMEOUT_MS };
    const worker = new Worker(new URL('./checkpoint-worker.ts', import.meta.url), { workerData: task });
    // An `error` nobody listens to would end the process; the pass under way hears of it by itself.
    worker.on('error', () => {});
    worker.unref();
    return worker;
  }

  #answerOf(worker: Worker, mode: CheckpointMode): Promise<CheckpointResult> {
    const { promise, resolve, reject } = Promise.withResolvers<CheckpointResult>();
    const onExit = () => reject(new Error('the checkpoint worker ended'));
    const cancel = this.#options.clock.after(ANSWER_WITHIN_MS, () =>
      reject(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)),
    );
    worker.once('message', resolve).once('error', reject).once('exit', onExit);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread is no window
    worker.postMessage(mode);
    return promise.finally(() => {
      cancel();
      worker.off('message', resolve).off('error', reject).off('exit', onExit);
    });
  }
}
