import type { AtMs } from '../../base/clock.ts';

const BLOCK_MS = 2_000;
/** A block weighs half after about seventy seconds. */
const FORGET_RATIO = 0.98;
/** Before that a line through the blocks says more about the network than about clocks. */
const BLOCKS_MIN = 10;
const PPM_MAX = 1_000;
/** No clock drifts as far in one block: the way changed, or the sender ran ahead. */
const LEAP_MS = 30;

/**
 * How much faster the sender's clock is than ours: the slope of a line through the earliest arrivals of each
 * two seconds, since what comes earliest has met the least of the network.
 */
export class ClockDrift {
  driftPpm = 0;
  #startedAtMs: AtMs = 0;
  #blockEndsAtMs: AtMs = 0;
  #firstMs = 0;
  #earliestMs = Infinity;
  #blocks = 0;
  #lastMs = 0;
  // Sums for the least squares, each forgotten alike.
  #weight = 0;
  #x = 0;
  #y = 0;
  #xx = 0;
  #xy = 0;

  /** Arrivals no longer have to do with those before. What is known of the clocks stays. */
  restart(nowMs: AtMs, offsetMs: number): void {
    this.#startedAtMs = nowMs;
    this.#blockEndsAtMs = nowMs + BLOCK_MS;
    this.#firstMs = offsetMs;
    this.#lastMs = offsetMs;
    this.#earliestMs = Infinity;
    this.#blocks = 0;
    this.#weight = this.#x = this.#y = this.#xx = this.#xy = 0;
  }

  /** `offsetMs`: how much later than by its sender's clock a frame came. */
  note(nowMs: AtMs, offsetMs: number): void {
    if (nowMs >= this.#blockEndsAtMs) {
      if (this.#earliestMs !== Infinity) this.#close(nowMs);
      this.#blockEndsAtMs = nowMs + BLOCK_MS;
      this.#earliestMs = Infinity;
    }
    this.#earliestMs = Math.min(this.#earliestMs, offsetMs);
  }

  #close(nowMs: AtMs): void {
    if (Math.abs(this.#earliestMs - this.#lastMs) > LEAP_MS) return this.restart(nowMs, this.#earliestMs);
    this.#lastMs = this.#earliestMs;
    const x = nowMs - this.#startedAtMs;
    const y = this.#earliestMs - this.#firstMs;
    this.#weight = this.#weight * FORGET_RATIO + 1;
    this.#x = this.#x * FORGET_RATIO + x;
    this.#y = this.#y * FORGET_RATIO + y;
    this.#xx = this.#xx * FORGET_RATIO + x * x;
    this.#xy = this.#xy * FORGET_RATIO + x * y;
    if (++this.#blocks < BLOCKS_MIN) return;
    const spread = this.#weight * this.#xx - this.#x * this.#x;
    const slope = (this.#weight * this.#xy - this.#x * this.#y) / spread;
    // A fast sender's frames come ever earlier.
    this.driftPpm = Math.max(-PPM_MAX, Math.min(PPM_MAX, -slope * 1e6));
  }
}
