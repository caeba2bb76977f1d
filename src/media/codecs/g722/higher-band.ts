import { limit, saturate } from './fixed-point.ts';
import { Predictor } from './predictor.ts';
import { Scale } from './scale.ts';

/** The one decision level, table 6 (Q2), times eight. */
const LEVEL = 8 * 564;
// By code: 0 and 1 are negative, 2 and 3 positive; 0 and 2 are the outer intervals (tables 11, 12 and 13).
const OUTPUTS = Int32Array.of(-7408, -1616, 7408, 1616);
const MULTIPLIERS = Int32Array.of(798, -214, 798, -214);

/** The higher sub-band of G.722: 4 to 8 kHz in 2 bits a sample. One direction each. */
export class HigherBand {
  readonly #predictor = new Predictor();
  readonly #scale = new Scale({ logarithmMax: 22_528, shift: 10 });

  encode(sample: number): number {
    const difference = saturate(sample - this.#predictor.estimate);
    const isNegative = difference < 0;
    const magnitude = isNegative ? ~difference : difference;
    const isOuter = magnitude >= (LEVEL * this.#scale.step) >> 15;
    const code = (isNegative ? 1 : 3) - (isOuter ? 1 : 0);
    this.#adapt(code);
    return code;
  }

  decode(code: number): number {
    const sample = limit(this.#predictor.estimate + this.#differenceOf(code));
    this.#adapt(code);
    return sample;
  }

  #adapt(code: number): void {
    this.#predictor.adapt(this.#differenceOf(code));
    this.#scale.adapt(MULTIPLIERS[code]!);
  }

  #differenceOf(code: number): number {
    return (this.#scale.step * OUTPUTS[code]!) >> 15;
  }
}
