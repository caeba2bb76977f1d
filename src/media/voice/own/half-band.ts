/** Odd taps of a 15-tap half-band low-pass (Hamming-windowed sinc), from the middle outwards. */
const SIDE_TAPS = [0.3028, -0.0705, 0.0194, -0.0017];
const REACH = 2 * SIDE_TAPS.length - 1;

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
    const [a, b, c, d] = SIDE_TAPS as [number, number, number, number];
    let lost = 0;
    for (let i = 0; i < target.length; i++) {
      const m = REACH + 2 * i;
      const low =
        0.5 * line[m]! +
        a * (line[m - 1]! + line[m + 1]!) +
        b * (line[m - 3]! + line[m + 3]!) +
        c * (line[m - 5]! + line[m + 5]!) +
        d * (line[m - 7]! + line[m + 7]!);
      target[i] = low;
      // Half-bands come in pairs: the high one is what the low one leaves.
      lost += (line[m]! - low) ** 2;
    }
    this.highPower = lost / target.length;
  }
}
