import type { AtMs } from '../../src/base/clock.ts';

const FRAMES_AT_FIRST = 2048;
/** Twenty minutes: no run lasts longer, and what would is not kept. */
const FRAMES_MAX = 60_000;

/** What a caller heard from just before a fault on. */
export interface Heard {
  /** The longest silence that reaches beyond the fault. */
  readonly gapMs: number;
  /** The longest one of the second before it: what this machine makes of 20 ms when nothing is wrong. */
  readonly gapBeforeMs: number;
  /** Frames that were said and never came back, those of the gap among them. */
  readonly missingFrames: number;
  readonly doubledFrames: number;
  /** First arrivals that came after a later frame. */
  readonly lateFrames: number;
}

/** Notes when which of a caller's own numbered frames came back. */
export class Ear {
  /** Messages that are no frame of ours: mended ones, comfort noise. */
  otherFrames = 0;
  #atMs = new Float64Array(FRAMES_AT_FIRST);
  #numbers = new Int32Array(FRAMES_AT_FIRST);
  #count = 0;

  get heardFrames(): number {
    return this.#count;
  }

  get lastAtMs(): AtMs {
    return this.#count === 0 ? Number.NEGATIVE_INFINITY : this.#atMs[this.#count - 1]!;
  }

  hear(number: number, nowMs: AtMs): void {
    if (number < 0 || this.#count === FRAMES_MAX) {
      this.otherFrames++;
      return;
    }
    if (this.#count === this.#atMs.length) this.#grow();
    this.#atMs[this.#count] = nowMs;
    this.#numbers[this.#count++] = number;
  }

  /** First frame heard since then; undefined while there is none. */
  firstAfter(atMs: AtMs): AtMs | undefined {
    return this.#atMs.subarray(0, this.#count).find((heardAtMs) => heardAtMs > atMs);
  }

  /** Everything until now; a silence that still lasts counts as long as it has lasted. */
  heard(faultAtMs: AtMs, nowMs: AtMs): Heard {
    return {
      gapMs: this.#longestGapMs(faultAtMs, nowMs),
      gapBeforeMs: this.#longestGapMs(faultAtMs - 1000, faultAtMs),
      ...this.#order(),
    };
  }

  #longestGapMs(fromMs: AtMs, untilMs: AtMs): number {
    let lastAtMs = Number.NaN;
    let longestMs = 0;
    for (let i = 0; i < this.#count; i++) {
      const atMs = this.#atMs[i]!;
      if (atMs > untilMs) break;
      if (atMs > fromMs && !Number.isNaN(lastAtMs)) longestMs = Math.max(longestMs, atMs - lastAtMs);
      lastAtMs = atMs;
    }
    return Number.isNaN(lastAtMs)
      ? untilMs - fromMs
      : Math.max(longestMs, untilMs - Math.max(lastAtMs, fromMs));
  }

  #order(): Pick<Heard, 'missingFrames' | 'doubledFrames' | 'lateFrames'> {
    const seen = new Set<number>();
    let [doubledFrames, lateFrames, highest] = [0, 0, -1];
    for (let i = 0; i < this.#count; i++) {
      const number = this.#numbers[i]!;
      if (seen.has(number)) doubledFrames++;
      else if (number < highest) lateFrames++;
      seen.add(number);
      highest = Math.max(highest, number);
    }
    const lowest =
      this.#count === 0 ? 0 : this.#numbers.subarray(0, this.#count).reduce((a, b) => Math.min(a, b));
    return {
      missingFrames: this.#count === 0 ? 0 : highest - lowest + 1 - seen.size,
      doubledFrames,
      lateFrames,
    };
  }

  #grow(): void {
    const atMs = new Float64Array(2 * this.#atMs.length);
    atMs.set(this.#atMs);
    this.#atMs = atMs;
    const numbers = new Int32Array(2 * this.#numbers.length);
    numbers.set(this.#numbers);
    this.#numbers = numbers;
  }
}
