import { Worker } from 'node:worker_threads';
import type { Clock } from '../../../base/clock.ts';
import type { SchemaJob, SchemaReply } from './schema-worker.ts';

const START_WITHIN_MS = 10_000;
const GRACE_MS = 20;
/** A compiled schema of 64 KiB and a body of 1 MiB fit many times over. */
const HEAP_MB = 128;

/** Why a job has no reply. */
export type Lost = 'overran' | 'crashed';

/** A worker thread for schemas, one job at a time; one that overruns is killed, the next job gets another. */
export class SchemaThread {
  readonly #clock: Pick<Clock, 'after'>;
  #worker: Promise<Worker> | undefined;

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  /** Ends after `withinMs` at the latest, whatever the schema does. */
  async run(job: SchemaJob, withinMs: number): Promise<SchemaReply | Lost> {
    try {
      const worker = await (this.#worker ??= this.#start());
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread is no window
      const reply = await this.#answerOf(worker, withinMs, () => worker.postMessage(job));
      if (reply === 'overran' || reply === 'crashed') await this.#kill(worker);
      return reply as SchemaReply | Lost;
    } catch {
      // It did not even start; the next job tries again.
      this.#worker = undefined;
      return 'crashed';
    }
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
    const worker = new Worker(new URL('./schema-worker.ts', import.meta.url), {
      // What a stranger's schema runs beside knows nothing of ours.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, stackSizeMb: 4 },
    });
    // An `error` nobody listens to would end the process; the job under way hears of it by itself.
    worker.on('error', () => {});
    worker.unref();
    if ((await this.#answerOf(worker, START_WITHIN_MS, () => undefined)) === 'ready') return worker;
    await worker.terminate();
    throw new Error('the schema worker did not start');
  }

  #answerOf(worker: Worker, withinMs: number, ask: () => void): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const onGone = (): void => resolve('crashed');
    // Twice: where our own loop stood still, the reply that is already here comes first.
    let cancel = this.#clock.after(withinMs, () => {
      cancel = this.#clock.after(GRACE_MS, () => resolve('overran'));
    });
    worker.once('message', resolve).once('error', onGone).once('exit', onGone);
    ask();
    return promise.finally(() => {
      cancel();
      worker.off('message', resolve).off('error', onGone).off('exit', onGone);
    });
  }
}
