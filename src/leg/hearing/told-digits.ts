import type { AtMs } from '../../base/clock.ts';

/** Where a digit was heard: in the sound, or in the protocol's own words. */
export type DigitSource = 'in_band' | 'out_of_band';

/** A digit that both tell within this time is one press. */
const SAME_PRESS_MS = 500;
/** Presses that wait for their other half; nobody presses faster than this in half a second. */
const WAITING_MAX = 16;

/**
 * Providers that tell digits in their own words often leave the tone in the sound, too. Each press is told
 * once, by whoever is first; presses are matched one by one, so that two of the same digit stay two.
 */
export class ToldDigits {
  readonly stats = { doubledDigits: 0 };
  readonly #waiting: { digit: string; source: DigitSource; atMs: AtMs }[] = [];

  /** Whether this is a press that nobody has told yet. */
  isNew(digit: string, source: DigitSource, nowMs: AtMs): boolean {
    while (this.#waiting[0] !== undefined && nowMs - this.#waiting[0].atMs > SAME_PRESS_MS) {
      this.#waiting.shift();
    }
    const place = this.#waiting.findIndex((told) => told.digit === digit && told.source !== source);
    if (place >= 0) {
      this.#waiting.splice(place, 1);
      this.stats.doubledDigits++;
      return false;
    }
    if (this.#waiting.length >= WAITING_MAX) this.#waiting.shift();
    this.#waiting.push({ digit, source, atMs: nowMs });
    return true;
  }
}
