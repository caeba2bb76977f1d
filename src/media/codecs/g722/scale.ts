/** Table 14 of G.722: 2048 × 2^(i/32), the mantissas of the logarithmic scale factor. */
const MANTISSAS = Int32Array.from({ length: 32 }, (_, i) => Math.floor(2048 * 2 ** (i / 32) + 0.5));
const LEAK_127_128 = 32_512;

/** The quantiser's step of one sub-band, adapted in the logarithm (G.722 §3.5, blocks LOGSC and SCALE). */
export class Scale {
  /** The step: 32 in the lower band and 8 in the higher at the start. */
  step: number;
  #logarithm = 0;
  readonly #logarithmMax: number;
  readonly #shift: number;

  constructor({ logarithmMax, shift }: { logarithmMax: number; shift: number }) {
    this.#logarithmMax = logarithmMax;
    this.#shift = shift;
    this.step = this.#stepOf(0);
  }

  /** Moves by the multiplier of the code just sent or received. */
  adapt(multiplier: number): void {
    const logarithm = ((this.#logarithm * LEAK_127_128) >> 15) + multiplier;
    this.#logarithm = Math.max(0, Math.min(this.#logarithmMax, logarithm));
    this.step = this.#stepOf(this.#logarithm);
  }

  #stepOf(logarithm: number): number {
    const mantissa = MANTISSAS[(logarithm >> 6) & 31]!;
    const shift = this.#shift - (logarithm >> 11);
    return (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
  }
}
