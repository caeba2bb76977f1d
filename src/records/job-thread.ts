import { Worker } from 'node:worker_threads';
import type { Clock } from '../base/clock.ts';

const START_WITHIN_MS = 10_000;
const GRACE_MS = 20;

/** Why a job has no reply. */
export type Lost = 'overran' | 'crashed';

export interface JobThreadOptions {
  readonly clock: Pick<Clock, 'after'>;
  /** The worker's module: it says `ready` first, then answers each job with one message. */
  readonly module: URL;
  readonly heapMb: number;
}

/**
 * A worker thread for what may take long, one job at a time; one that overruns is killed, the next gets
 * another.
 */
export class JobThread<Job, Reply> {
  readonly #options: JobThreadOptions;
  #worker: Promise<Worker> | undefined;

  constructor(options: JobThreadOptions) {
    this.#options = options;
  }

  /** Ends after `withinMs` at the latest, whatever the job does. */
  async run(job: Job, withinMs: number): Promise<Reply | Lost> {
    try {
      const worker = await (this.#worker ??= this.#start());
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread is no window
      const reply = await this.#answerOf(worker, withinMs, () => worker.postMessage(job));
      if (reply === 'overran' || reply === 'crashed') await this.#kill(worker);
      return reply as Reply | Lost;
    } catch {
      // It did not even start; the next job tries again.
      this.#worker = undefined;
      return 'crashed';
    }
  }

  /** Starts what is not there yet, so that the next job need not wait for it. */
  warm(): void {
    this.#worker ??= this.#start();
    // Who needs it hears that it did not start.
    this.#worker.catch(() => {});
  }

  async close(): Promise<void> {
    const worker = await this.#worker?.catch(() => undefined);
    this.#worker = undefined;
    await worker?.terminate();
  }

  async #kill(worker: Worker): Promise<void> {
    this.#worker = undefined;
    await worker.terminate();
  }

  async #start(): Promise<Worker> {
    const worker = new Worker(this.#options.module, {
      // What a stranger gave us runs beside knows nothing of ours.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: this.#options.heapMb, stackSizeMb: 4 },
    });
    // An `error` nobody listens to would end the process; the job under way hears of it by itself.
    worker.on('error', () => {});
    worker.unref();
    if ((await this.#answerOf(worker, START_WITHIN_MS, () => undefined)) === 'ready') return worker;
    await worker.terminate();
    throw new Error('the worker did not start');
  }

  #answerOf(worker: Worker, withinMs: number, ask: () => void): Promise<unknown> {
    const { clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const onGone = (): void => resolve('crashed');
    // Twice: where our own loop stood still, the reply that is already here comes first.
    let cancel = clock.after(withinMs, () => {
      cancel = clock.after(GRACE_MS, () => resolve('overran'));
    });
    worker.once('message', resolve).once('error', onGone).once('exit', onGone);
    ask();
    return promise.finally(() => {
      cancel();
      worker.off('message', resolve).off('error', onGone).off('exit', onGone);
    });
  }
}
