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

  /** Log-odds that these features are those of speech, into the first slot. */
  logOddsInto(features: Float32Array, target: Float32Array): void {
    const weights = this.#hidden;
    const bias = this.#hiddenBias;
    const out = this.#out;
    const inputs = this.#inputs;
    target[0] = this.#outBias;
    let at = 0;
    for (let unit = 0; unit < out.length; unit += LANES) {
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let i = 0; i < inputs; i++, at += LANES) {
        const feature = features[i]!;
        a += weights[at]! * feature;
        b += weights[at + 1]! * feature;
        c += weights[at + 2]! * feature;
        d += weights[at + 3]! * feature;
      }
      target[0] += out[unit]! * Math.max(0, a + bias[unit]!);
      target[0] += out[unit + 1]! * Math.max(0, b + bias[unit + 1]!);
      target[0] += out[unit + 2]! * Math.max(0, c + bias[unit + 2]!);
      target[0] += out[unit + 3]! * Math.max(0, d + bias[unit + 3]!);
    }
  }
}

function fromThousandths(value: number): number {
  return value / 1000;
}
