import { invariant } from '../../base/errors.ts';
import { frameSamples } from '../../base/units.ts';

/**
 * Correlation looks at speech below 1 kHz: pitch and the first formant, all that an echo path surely keeps.
 */
export const BAND_HZ = 2000;
/** Half a millisecond of first difference: without it the pitch alone would make any two voices alike. */
const EMPHASIS = 0.9;

/**
 * Whole frames of a line, as samples of their lowest octaves: a triangle of two hops of the band as low-pass,
 * then a first difference over one of them.
 */
export class LowBand {
  readonly #taps: Float32Array;
  readonly #stepSamples: number;
  /** The end of the frame before, and the frame. */
  readonly #work: Float32Array;
  readonly #tailSamples: number;
  readonly #emphasisLag: number;
  readonly #last: Float32Array;

  /** `outHz` is `BAND_HZ`, or a multiple of it for a finer grid of the same band. */
  constructor(sampleRateHz: number, outHz: number) {
    const hopSamples = sampleRateHz / BAND_HZ;
    this.#stepSamples = sampleRateHz / outHz;
    invariant(
      Number.isInteger(hopSamples) && Number.isInteger(this.#stepSamples),
      'the band divides the rate',
    );
    this.#taps = Float32Array.from(
      { length: 2 * hopSamples - 1 },
      (_, i) => (hopSamples - Math.abs(i - hopSamples + 1)) / (hopSamples * hopSamples),
    );
    this.#tailSamples = this.#taps.length - 1;
    this.#work = new Float32Array(this.#tailSamples + frameSamples(sampleRateHz));
    this.#emphasisLag = outHz / BAND_HZ;
    this.#last = new Float32Array(this.#emphasisLag);
  }

  /**
   * Writes the band of one whole frame to the end of `history`, and moves what was there towards its start.
   */
  appendInto(frame: Int16Array, history: Float32Array): void {
    const work = this.#work;
    work.copyWithin(0, work.length - this.#tailSamples);
    work.set(frame, this.#tailSamples);
    const count = frame.length / this.#stepSamples;
    history.copyWithin(0, count);
    const first = history.length - count;
    for (let i = 0; i < count; i++) history[first + i] = this.#emphasised(this.#filtered(i), i);
  }

  #filtered(index: number): number {
    const first = index * this.#stepSamples;
    let sum = 0;
    for (let tap = 0; tap < this.#taps.length; tap++) sum += this.#taps[tap]! * this.#work[first + tap]!;
    return sum;
  }

  #emphasised(sample: number, index: number): number {
    const slot = index % this.#emphasisLag;
    const before = this.#last[slot]!;
    this.#last[slot] = sample;
    return sample - EMPHASIS * before;
  }
}
