import { invariant } from '../../../base/errors.ts';

/** A small trained network: one hidden layer of rectified sums, one answer in log-odds. In thousandths. */
export interface Weights {
  readonly hidden: readonly (readonly number[])[];
  readonly hiddenBias: readonly number[];
  readonly out: readonly number[];
  readonly outBias: number;
}

/** Units that are summed side by side: a sum of one alone would wait for each addition before the next. */
const LANES = 4;

/** Weights made ready to be multiplied with; shared by all detectors. */
export class Network {
  readonly #inputs: number;
  /** Four units at a time, input by input. */
  readonly #hidden: Float32Array;
  readonly #hiddenBias: Float32Array;
  readonly #out: Float32Array;
  readonly #outBias: number;

  constructor({ hidden, hiddenBias, out, outBias }: Weights) {
    invariant(hidden.length % LANES === 0, 'a network has a multiple of four units');
    const inputs = hidden[0]!.length;
    this.#inputs = inputs;
    this.#hidden = new Float32Array(hidden.length * inputs);
    hidden.forEach((row, unit) => {
      const first = (unit - (unit % LANES)) * inputs + (unit % LANES);
      row.forEach((weight, input) => (this.#hidden[first + input * LANES] = fromThousandths(weight)));
    });
    this.#hiddenBias = Float32Array.from(hiddenBias, fromThousandths);
    this.#out = Float32Array.from(out, fromThousandths);
    this.#outBias = fromThousandths(outBias);
  }

  /** Log-odds that these features are those of speech. */
  logOdds(features: Float32Array): number {
    const weights = this.#hidden;
    const bias = this.#hiddenBias;
    const out = this.#out;
    const inputs = this.#inputs;
    let answer = this.#outBias;
    let at = 0;
    for (let unit = 0; unit < out.length; unit += LANES) {
      let a = bias[unit]!;
      let b = bias[unit + 1]!;
      let c = bias[unit + 2]!;
      let d = bias[unit + 3]!;
      for (let i = 0; i < inputs; i++, at += LANES) {
        const feature = features[i]!;
        a += weights[at]! * feature;
        b += weights[at + 1]! * feature;
        c += weights[at + 2]! * feature;
        d += weights[at + 3]! * feature;
      }
      if (a > 0) answer += out[unit]! * a;
      if (b > 0) answer += out[unit + 1]! * b;
      if (c > 0) answer += out[unit + 2]! * c;
      if (d > 0) answer += out[unit + 3]! * d;
    }
    return answer;
  }
}

function fromThousandths(value: number): number {
  return value / 1000;
}
