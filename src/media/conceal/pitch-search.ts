import { msToSamples } from '../../base/units.ts';

// Where pitch is looked for first: a voice's fundamental is far below half of this.
const COARSE_HZ = 4000;

/** Where to look, and at what. */
export interface PitchRange {
  /** The shortest and the longest period that may be found. */
  readonly lagMsMin: number;
  readonly lagMsMax: number;
  /** How long a stretch is compared with the one a period before it. */
  readonly windowMs: number;
}

/**
 * Finds the shift by which the newest stretch of a sound is most like what came before it: coarsely at 4 kHz,
 * then to the sample.
 */
export class PitchSearch {
  /** One number: how alike the two stretches were, −1 to 1. */
  readonly correlation = new Float64Array(1);
  /** So much of the past a search looks at. */
  readonly spanSamples: number;
  readonly #factor: number;
  readonly #lagMin: number;
  readonly #lagMax: number;
  readonly #windowSamples: number;
  readonly #coarse: Float64Array;

  constructor(sampleRateHz: number, { lagMsMin, lagMsMax, windowMs }: PitchRange) {
    this.#factor = sampleRateHz / COARSE_HZ;
    this.#lagMin = msToSamples(lagMsMin, sampleRateHz);
    this.#lagMax = msToSamples(lagMsMax, sampleRateHz);
    this.#windowSamples = msToSamples(windowMs, sampleRateHz);
    this.spanSamples = this.#lagMax + this.#windowSamples;
    this.#coarse = new Float64Array(Math.floor(this.spanSamples / this.#factor));
  }

  /** The best period in samples, or a multiple of it, for the sound that ends before `source[end]`. */
  find(source: Int16Array, end: number): number {
    this.#thinOut(source, end);
    const near = this.#findCoarse() * this.#factor;
    this.correlation[0] = -Infinity;
    const single = this.#refine(source, end, near, this.#factor);
    let best = single;
    // A short period is seldom whole samples: of the sum of several, less is cut off.
    for (let periods = 2; periods * single <= this.#lagMax; periods++) {
      const several = this.#refine(source, end, periods * single, (periods + 1) >> 1);
      if (several > 0) best = several;
    }
    return best;
  }

  // Means over a triangle of two thinned steps: enough of a low-pass for finding a period.
  #thinOut(source: Int16Array, end: number): void {
    const coarse = this.#coarse;
    const factor = this.#factor;
    const start = end - coarse.length * factor;
    for (let i = 0; i < coarse.length; i++) {
      const centre = start + i * factor;
      let sum = factor * source[centre]!;
      for (let k = 1; k < factor; k++) {
        const before = centre >= k ? source[centre - k]! : 0;
        sum += (factor - k) * (before + source[centre + k]!);
      }
      coarse[i] = sum;
    }
  }

  #findCoarse(): number {
    const coarse = this.#coarse;
    const lagMax = Math.floor(this.#lagMax / this.#factor);
    const lagMin = Math.ceil(this.#lagMin / this.#factor);
    const start = lagMax;
    let bestLag = lagMin;
    let best = -Infinity;
    for (let lag = lagMin; lag <= lagMax; lag++) {
      let product = 0;
      let power = 1;
      for (let i = start; i < coarse.length; i++) {
        const past = coarse[i - lag]!;
        product += coarse[i]! * past;
        power += past * past;
      }
      const likeness = product / Math.sqrt(power);
      if (likeness <= best) continue;
      best = likeness;
      bestLag = lag;
    }
    return bestLag;
  }

  /** Tries every lag near the one named; returns the best, 0 if none is better than what was found before. */
  #refine(source: Int16Array, end: number, near: number, reach: number): number {
    const from = Math.max(this.#lagMin, near - reach);
    const to = Math.min(this.#lagMax, near + reach);
    const start = end - this.#windowSamples;
    let own = 1;
    for (let i = start; i < end; i++) own += source[i]! * source[i]!;
    let bestLag = 0;
    let best = this.correlation[0]!;
    for (let lag = from; lag <= to; lag++) {
      let product = 0;
      let power = 1;
      for (let i = start; i < end; i++) {
        const past = source[i - lag]!;
        product += source[i]! * past;
        power += past * past;
      }
      const likeness = product / Math.sqrt(own * power);
      if (likeness <= best) continue;
      best = likeness;
      bestLag = lag;
    }
    this.correlation[0] = best;
    return bestLag;
  }
}
