import type { Cancel, Clock } from './clock.ts';
import type { Closeable } from './lifetime.ts';

export interface WokenRoundsOptions {
  readonly clock: Pick<Clock, 'after'>;
  /**
   * One round of work; resolves with how many ms to sleep after it. 0: there is more to do at once;
   * undefined: until somebody wakes it.
   */
  readonly round: () => Promise<number | undefined>;
  /** A round broke off. */
  readonly failed: (error: unknown) => void;
  /** After such a one the next comes so much later, where nobody wakes it before. */
  readonly retryMs: number;
}

/**
 * Work that is looked for again and again: round after round, never two at once, and asleep in between until
 * it is time or somebody wakes it. Who is woken in a round looks once more after it.
 */
export class WokenRounds implements Closeable {
  readonly #options: WokenRoundsOptions;
  #rounds: Promise<void> | undefined;
  #isWoken = false;
  #isClosed = false;
  #cancel: Cancel = () => {};

  constructor(options: WokenRoundsOptions) {
    this.#options = options;
  }

  /** Since this round began: what it does not find the next one will. */
  get isWoken(): boolean {
    return this.#isWoken;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** There is, or may be, something to do. */
  wake(): void {
    if (this.#isClosed) return;
    this.#isWoken = true;
    this.#rounds ??= this.#run();
  }

  /** Wakes itself so much later, unless somebody has by then. */
  wakeAfter(delayMs: number): void {
    this.#cancel();
    if (!this.#isClosed) this.#cancel = this.#options.clock.after(delayMs, () => this.wake());
  }

  /** Resolves when it sleeps. */
  async idle(): Promise<void> {
    await this.#rounds;
  }

  /** No round begins any more; resolves when the one under way is over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#rounds;
  }

  async #run(): Promise<void> {
    this.#cancel();
    let restMs: number | undefined;
    while (this.#isWoken && !this.#isClosed) {
      this.#isWoken = false;
      restMs = await this.#round();
      if (restMs === 0) this.#isWoken = true;
    }
    this.#rounds = undefined;
    if (restMs !== undefined) this.wakeAfter(restMs);
  }

  async #round(): Promise<number | undefined> {
    const { round, failed, retryMs } = this.#options;
    try {
      return await round();
    } catch (error) {
      failed(error);
      return retryMs;
    }
  }
}
