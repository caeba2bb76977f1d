import { limit, saturate } from './fixed-point.ts';

// The first half of the 24 coefficients of table 11 (§3.1), in units of 2^-13; the second half mirrors it.
const HALF = [3, -11, -11, 53, 12, -156, 32, 362, -210, -805, 951, 3876];
const TAPS = HALF.length;
const EVEN = Int32Array.from({ length: TAPS }, (_, i) => (2 * i < TAPS ? HALF[2 * i]! : HALF[23 - 2 * i]!));
const HISTORY = TAPS - 1;
/** Pairs of samples filtered in one go: a frame of 20 ms. */
export const PAIRS_MAX = 160;

/** The quadrature mirror filter that splits 16 kHz into two bands of 8 kHz each (§3.1, transmit). */
export class SplittingFilter {
  readonly lower = new Int32Array(PAIRS_MAX);
  readonly higher = new Int32Array(PAIRS_MAX);
  readonly #evens = new Int32Array(HISTORY + PAIRS_MAX);
  readonly #odds = new Int32Array(HISTORY + PAIRS_MAX);

  /** Splits `pairs` pairs of samples from `at` on; the bands are left in `lower` and `higher`. */
  split(source: Int16Array, at: number, pairs: number): void {
    const evens = this.#evens;
    const odds = this.#odds;
    for (let pair = 0; pair < pairs; pair++) {
      evens[HISTORY + pair] = source[at + 2 * pair]!;
      odds[HISTORY + pair] = source[at + 2 * pair + 1]!;
      let odd = 0;
      let even = 0;
      for (let tap = 0; tap < TAPS; tap++) {
        odd += EVEN[tap]! * odds[HISTORY + pair - tap]!;
        even += EVEN[TAPS - 1 - tap]! * evens[HISTORY + pair - tap]!;
      }
      // 13 bits of the coefficients' fraction, and one for halving: the bands have 15 bits, samples 16.
      this.lower[pair] = limit((odd + even) >> 14);
      this.higher[pair] = limit((odd - even) >> 14);
    }
    evens.copyWithin(0, pairs, pairs + HISTORY);
    odds.copyWithin(0, pairs, pairs + HISTORY);
  }
}

/** The mirror filter that puts the two bands together again (§4.4, receive). */
export class JoiningFilter {
  readonly lower = new Int32Array(PAIRS_MAX);
  readonly higher = new Int32Array(PAIRS_MAX);
  readonly #differences = new Int32Array(HISTORY + PAIRS_MAX);
  readonly #sums = new Int32Array(HISTORY + PAIRS_MAX);

  /** Joins the first `pairs` samples of `lower` and `higher`, writing `2 × pairs` samples from `at` on. */
  join(target: Int16Array, at: number, pairs: number): void {
    const differences = this.#differences;
    const sums = this.#sums;
    for (let pair = 0; pair < pairs; pair++) {
      differences[HISTORY + pair] = this.lower[pair]! - this.higher[pair]!;
      sums[HISTORY + pair] = this.lower[pair]! + this.higher[pair]!;
      let first = 0;
      let second = 0;
      for (let tap = 0; tap < TAPS; tap++) {
        first += EVEN[tap]! * differences[HISTORY + pair - tap]!;
        second += EVEN[TAPS - 1 - tap]! * sums[HISTORY + pair - tap]!;
      }
      target[at + 2 * pair] = saturate(first >> 11);
      target[at + 2 * pair + 1] = saturate(second >> 11);
    }
    differences.copyWithin(0, pairs, pairs + HISTORY);
    sums.copyWithin(0, pairs, pairs + HISTORY);
  }
}
