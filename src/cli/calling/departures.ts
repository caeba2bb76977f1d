import type { AtMs, Cancel, Clock } from '../../base/clock.ts';

interface Held {
  readonly index: number;
  readonly atMs: AtMs;
}

/** Frames on their way through a slow network: they leave in order, whatever timers do. */
export class Departures {
  readonly #clock: Pick<Clock, 'nowMs' | 'after'>;
  readonly #onDue: (index: number, atMs: AtMs) => void;
  readonly #held: Held[] = [];
  #cancel: Cancel = () => undefined;

  constructor(clock: Pick<Clock, 'nowMs' | 'after'>, onDue: (index: number, atMs: AtMs) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#held.length;
  }

  /** Bounded by its caller: what is held is younger than the longest delay. */
  hold(index: number, atMs: AtMs): void {
    const later = this.#held.findIndex((other) => other.atMs > atMs);
    this.#held.splice(later < 0 ? this.#held.length : later, 0, { index, atMs });
    if (this.#held[0]?.index === index) this.#waitForFirst();
  }

  close(): void {
    this.#cancel();
    this.#held.length = 0;
  }

  #waitForFirst(): void {
    this.#cancel();
    const first = this.#held[0];
    if (first === undefined) return;
    const delayMs = Math.ceil(first.atMs - this.#clock.nowMs());
    this.#cancel = this.#clock.after(Math.max(0, delayMs), () => this.#letGo());
  }

  #letGo(): void {
    while (this.#held[0] !== undefined && this.#held[0].atMs <= this.#clock.nowMs()) {
      const { index, atMs } = this.#held[0];
      this.#held.shift();
      this.#onDue(index, atMs);
    }
    this.#waitForFirst();
  }
}
