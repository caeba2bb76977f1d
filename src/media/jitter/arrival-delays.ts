import type { AtMs } from '../../base/clock.ts';
import { FRAME_MS } from '../../base/units.ts';
import { ClockDrift } from './clock-drift.ts';
import { DelayHistogram } from './delay-histogram.ts';

const QUANTILE_RATIO = 0.95;
const FORGET_RATIO = 0.983;
/** One delay is learned for every so many frames, the longest: half a second, as NetEQ takes it. */
const INTERVAL_FRAMES = 25;
/** What is earliest is looked for in so many intervals, two seconds: in them no clock drifts by 1 ms. */
const INTERVALS = 4;
/**
 * No target covers a gap this long, so nothing is learned from it: the sender paused, or the line stalled.
 */
const PAUSE_MS = 400;

/**
 * How late frames come, measured from the earliest of the last seconds, and how long audio has to be held so
 * that most are in time.
 */
export class ArrivalDelays {
  readonly #histogram = new DelayHistogram({ quantileRatio: QUANTILE_RATIO, forgetRatio: FORGET_RATIO });
  readonly #drift = new ClockDrift();
  /** The earliest of each interval; unused ones are never the earliest. */
  readonly #earliestMs = new Float64Array(INTERVALS).fill(Infinity);
  #interval = 0;
  #intervalFrames = 0;
  #baseMs = Infinity;
  /** The latest of this interval. */
  #latestMs = -Infinity;
  /** What the histogram was last told. */
  #learnedMs = 0;
  /** More came at once than any target covers; until that ends nothing is learned. */
  #isBacklog = false;
  #lastAtMs: AtMs = 0;

  /** The instant at which a frame of this number is on time. */
  dueAtMs(number: number): AtMs {
    return this.#baseMs + number * FRAME_MS;
  }

  /** The delay that 95 % of what was learned stays within. */
  get neededMs(): number {
    return this.#histogram.quantileMs;
  }

  get driftPpm(): number {
    return this.#drift.driftPpm;
  }

  note(number: number, arrivedAtMs: AtMs): void {
    const offsetMs = arrivedAtMs - number * FRAME_MS;
    if (this.#baseMs === Infinity || arrivedAtMs - this.#lastAtMs >= PAUSE_MS) {
      this.#restart(arrivedAtMs, offsetMs);
    }
    this.#lastAtMs = arrivedAtMs;
    if (this.#intervalFrames === INTERVAL_FRAMES) this.#beginInterval();
    if (offsetMs < this.#earliestMs[this.#interval]!) this.#earliestMs[this.#interval] = offsetMs;
    // What came before the earliest was late as well, in hindsight: the first of a chunk, say.
    if (this.#intervalFrames === 0 || offsetMs > this.#latestMs) this.#latestMs = offsetMs;
    if (offsetMs >= this.#baseMs) this.#isBacklog = false;
    else this.#baseMs = offsetMs;
    if (this.#latestMs - this.#baseMs >= PAUSE_MS) this.#isBacklog = true;
    if (this.#isBacklog) this.#latestMs = this.#baseMs;
    const delayMs = this.#latestMs - this.#baseMs;
    if (this.#intervalFrames++ === 0) this.#histogram.add(delayMs);
    // Asked only where it changed: a fraction handed over is a number on the heap.
    else if (delayMs !== this.#learnedMs) this.#histogram.reviseLast(delayMs);
    this.#learnedMs = delayMs;
  }

  /** The next frame begins a stream of its own: only its delays compare with those learned. */
  restart(): void {
    this.#baseMs = Infinity;
  }

  #restart(arrivedAtMs: AtMs, offsetMs: number): void {
    this.#earliestMs.fill(Infinity);
    this.#intervalFrames = 0;
    this.#baseMs = offsetMs;
    this.#drift.restart(arrivedAtMs, offsetMs);
  }

  #beginInterval(): void {
    this.#drift.note(this.#lastAtMs, this.#earliestMs[this.#interval]!);
    this.#intervalFrames = 0;
    this.#interval = (this.#interval + 1) % INTERVALS;
    this.#earliestMs[this.#interval] = Infinity;
    this.#baseMs = Infinity;
    for (let i = 0; i < INTERVALS; i++) {
      if (this.#earliestMs[i]! < this.#baseMs) this.#baseMs = this.#earliestMs[i]!;
    }
  }
}
