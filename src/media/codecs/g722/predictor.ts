import { saturate } from './fixed-point.ts';

const ZEROS = 6;
/** 1 - 1/128 and 1 - 1/256 in 15 fraction bits: what coefficients leak by with each sample. */
const LEAK_127_128 = 32_512;
const LEAK_255_256 = 32_640;
const SECOND_POLE_MAX = 12_288;
const POLE_SUM_MAX = 15_360;

/**
 * The adaptive predictor of one sub-band (G.722 §3.6, in the arithmetic of §6.2.1.4): two poles, six zeros,
 * moved by signs only, so that encoder and decoder stay in step over a channel with errors.
 */
export class Predictor {
  /** The sample expected next. */
  estimate = 0;
  #zeroEstimate = 0;
  readonly #zeros = new Int32Array(ZEROS);
  /** The last six quantised differences, doubled, newest first. */
  readonly #doubles = new Int32Array(ZEROS);
  #pole1 = 0;
  #pole2 = 0;
  #sample1 = 0;
  #partial1 = 0;
  #partial2 = 0;

  /** Takes the quantised difference of the sample that `estimate` stood for, and looks ahead to the next. */
  adapt(difference: number): void {
    const sample = saturate(this.estimate + difference);
    const partial = saturate(difference + this.#zeroEstimate);
    this.#movePoles(partial);
    const poleEstimate = this.#filterPoles(sample);
    this.#zeroEstimate = this.#passZeros(difference);
    this.estimate = saturate(poleEstimate + this.#zeroEstimate);
  }

  // Blocks UPPOL2 and UPPOL1.
  #movePoles(partial: number): void {
    const isLikeLast = (partial ^ this.#partial1) >= 0;
    const isLikeBefore = (partial ^ this.#partial2) >= 0;
    const quadruple = saturate(4 * this.#pole1);
    const turned = (isLikeLast ? saturate(-quadruple) : quadruple) >> 7;
    const pole2 = turned + (isLikeBefore ? 128 : -128) + ((this.#pole2 * LEAK_127_128) >> 15);
    this.#pole2 = Math.max(-SECOND_POLE_MAX, Math.min(SECOND_POLE_MAX, pole2));
    const pole1 = (isLikeLast ? 192 : -192) + ((this.#pole1 * LEAK_255_256) >> 15);
    const pole1Max = POLE_SUM_MAX - this.#pole2;
    this.#pole1 = Math.max(-pole1Max, Math.min(pole1Max, pole1));
    this.#partial2 = this.#partial1;
    this.#partial1 = partial;
  }

  // Block FILTEP.
  #filterPoles(sample: number): number {
    const newest = (this.#pole1 * saturate(2 * sample)) >> 15;
    const before = (this.#pole2 * saturate(2 * this.#sample1)) >> 15;
    this.#sample1 = sample;
    return saturate(newest + before);
  }

  // Blocks UPZERO, DELAYA and FILTEZ in one pass, the oldest first as the Recommendation adds them up.
  #passZeros(difference: number): number {
    const zeros = this.#zeros;
    const doubles = this.#doubles;
    const step = difference === 0 ? 0 : 128;
    let sum = 0;
    for (let i = ZEROS - 1; i >= 0; i--) {
      const turn = (difference ^ doubles[i]!) >= 0 ? step : -step;
      // 128 is what a coefficient at the limit leaks: it cannot grow beyond.
      const zero = turn + ((zeros[i]! * LEAK_255_256) >> 15);
      const double = i === 0 ? saturate(2 * difference) : doubles[i - 1]!;
      zeros[i] = zero;
      doubles[i] = double;
      sum = saturate(sum + ((zero * double) >> 15));
    }
    return sum;
  }
}
