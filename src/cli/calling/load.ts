import type { Clock } from '../../base/clock.ts';

export interface LoadOptions {
  readonly clock: Pick<Clock, 'nowMs' | 'after'>;
  readonly count: number;
  readonly ratePerS: number;
  /** Places the call of this number, from 0; resolves when it is over. It never rejects. */
  readonly place: (index: number) => Promise<void>;
}

/** Many calls, placed at a steady rate. */
export class Load {
  readonly stats = { placedCalls: 0, overCalls: 0, mostCalls: 0 };
  readonly #options: LoadOptions;
  #isStopped = false;
  #wake: () => void = () => undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Resolves when all calls are over. */
  async run(): Promise<void> {
    const { clock, count, ratePerS } = this.#options;
    const startAtMs = clock.nowMs();
    const calls: Promise<void>[] = [];
    for (let index = 0; index < count && !this.#isStopped; index++) {
      await this.#waitUntil(startAtMs + (index * 1000) / ratePerS);
      if (!this.#isStopped) calls.push(this.#place(index));
    }
    await Promise.all(calls);
  }

  /** No more calls are placed. */
  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  async #place(index: number): Promise<void> {
    const { stats } = this;
    stats.placedCalls++;
    stats.mostCalls = Math.max(stats.mostCalls, stats.placedCalls - stats.overCalls);
    await this.#options.place(index);
    stats.overCalls++;
  }

  async #waitUntil(atMs: number): Promise<void> {
    const delayMs = Math.ceil(atMs - this.#options.clock.nowMs());
    if (delayMs <= 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(delayMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
