import type { TonePlan } from '../tone-plans.ts';

/** Bursts and pauses that are remembered: two whole turns of the longest cadence there is. */
const PARTS_MAX = 8;
/** How far a burst or pause may be from its plan. */
const TOLERANCE_RATIO = 0.2;
const TOLERANCE_MIN_MS = 60;

/** Bursts and pauses of one call progress tone, in turn, the first a burst. */
export class Cadence {
  readonly #partsMs = new Float64Array(PARTS_MAX);
  #count = 0;
  /** Whether the burst at the start of `#partsMs` may have begun before anybody listened. */
  #isCut = false;

  get count(): number {
    return this.#count;
  }

  /** `isCut`: the first burst to come may have begun earlier. */
  clear(isCut: boolean): void {
    this.#count = 0;
    this.#isCut = isCut;
  }

  /** A burst or a pause is over. */
  add(durationMs: number): void {
    if (this.#count === PARTS_MAX) {
      // In pairs, so that the first stays a burst.
      this.#partsMs.copyWithin(0, 2);
      this.#count -= 2;
      this.#isCut = false;
    }
    this.#partsMs[this.#count++] = durationMs;
  }

  /** The longest part that was heard whole. */
  longestMs(): number {
    let longest = 0;
    for (let i = this.#isCut ? 1 : 0; i < this.#count; i++) longest = Math.max(longest, this.#partsMs[i]!);
    return longest;
  }

  /** How many parts fit a plan, with one of `openMs` still going on; −1 where one does not fit. */
  fit({ cadenceMs }: TonePlan, openMs: number): number {
    let best = -1;
    for (let first = 0; first < cadenceMs.length; first += 2) {
      best = Math.max(best, this.#fitFrom(cadenceMs, first, openMs));
    }
    return best;
  }

  #fitFrom(cadenceMs: readonly number[], first: number, openMs: number): number {
    let fitting = 0;
    for (let i = 0; i < this.#count; i++) {
      const planMs = cadenceMs[(first + i) % cadenceMs.length]!;
      const partMs = this.#partsMs[i]!;
      const isShort = partMs < planMs - toleranceMs(planMs);
      if (partMs > planMs + toleranceMs(planMs) || (isShort && !(i === 0 && this.#isCut))) return -1;
      if (!isShort) fitting++;
    }
    const openPlanMs = cadenceMs[(first + this.#count) % cadenceMs.length]!;
    return openMs > openPlanMs + toleranceMs(openPlanMs) ? -1 : fitting;
  }
}

function toleranceMs(planMs: number): number {
  return planMs === Infinity ? 0 : Math.max(TOLERANCE_MIN_MS, TOLERANCE_RATIO * planMs);
}
