/** A small trained network: one hidden layer of rectified sums, one answer in log-odds. In thousandths. */
export interface Weights {
  readonly hidden: readonly (readonly number[])[];
  readonly hiddenBias: readonly number[];
  readonly out: readonly number[];
  readonly outBias: number;
}

/** Weights made ready to be multiplied with; shared by all detectors. */
export class Network {
  readonly #inputs: number;
  readonly #hidden: Float32Array;
  readonly #hiddenBias: Float32Array;
  readonly #out: Float32Array;
  readonly #outBias: number;

  constructor({ hidden, hiddenBias, out, outBias }: Weights) {
    this.#inputs = hidden[0]!.length;
    this.#hidden = Float32Array.from(hidden.flat(), fromThousandths);
    this.#hiddenBias = Float32Array.from(hiddenBias, fromThousandths);
    this.#out = Float32Array.from(out, fromThousandths);
    this.#outBias = fromThousandths(outBias);
  }

  /** Log-odds that these features are those of speech. */
  logOdds(features: Float32Array): number {
    const weights = this.#hidden;
    const inputs = this.#inputs;
    let answer = this.#outBias;
    let at = 0;
    for (let unit = 0; unit < this.#out.length; unit++) {
      let a = this.#hiddenBias[unit]!;
      let b = 0;
      // Two sums at once: each addition would otherwise wait for the one before it.
      for (let i = 0; i < inputs; i += 2, at += 2) {
        a += weights[at]! * features[i]!;
        b += weights[at + 1]! * features[i + 1]!;
      }
      if (a + b > 0) answer += this.#out[unit]! * (a + b);
    }
    return answer;
  }
}

function fromThousandths(value: number): number {
  return value / 1000;
}
