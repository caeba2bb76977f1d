/** Odd taps of a 15-tap half-band low-pass (Hamming-windowed sinc), from the middle outwards. */
const TAP_1 = 0.3028;
const TAP_3 = -0.0705;
const TAP_5 = 0.0194;
const TAP_7 = -0.0017;
const REACH = 7;

/** Halves the sample rate of a stream, hop by hop: detectors listen to the telephone band only. */
export class HalfBand {
  /** Mean power of what the last hop lost: sound above the telephone band. */
  highPower = 0;
  /** What the filter still needs of the hop before, then the hop. */
  readonly #line: Float32Array;
  readonly #hopSamples: number;

  constructor(hopSamples: number) {
    this.#hopSamples = hopSamples;
    this.#line = new Float32Array(2 * REACH + hopSamples);
  }

  halveInto(hop: Int16Array, target: Float32Array): void {
    const line = this.#line;
    line.copyWithin(0, this.#hopSamples);
    for (let i = 0; i < hop.length; i++) line[2 * REACH + i] = hop[i]!;
    let lost = 0;
    for (let i = 0; i < target.length; i++) {
      const m = REACH + 2 * i;
      const low =
        0.5 * line[m]! +
        TAP_1 * (line[m - 1]! + line[m + 1]!) +
        TAP_3 * (line[m - 3]! + line[m + 3]!) +
        TAP_5 * (line[m - 5]! + line[m + 5]!) +
        TAP_7 * (line[m - 7]! + line[m + 7]!);
      target[i] = low;
      // Half-bands come in pairs: the high one is what the low one leaves.
      lost += (line[m]! - low) ** 2;
    }
    this.highPower = lost / target.length;
  }
}
