// Uniform between ± √3: power 1.
const SCALE = Math.sqrt(3) / 2 ** 31;

/** White noise of power 1 by xorshift32 (Marsaglia, 2003): the same again after the same seed. */
export class NoiseSource {
  readonly #seed: number;
  #state: number;

  constructor(seed: number) {
    this.#seed = seed | 0 || 1;
    this.#state = this.#seed;
  }

  fillInto(samples: number, target: Float64Array): void {
    let state = this.#state;
    for (let i = 0; i < samples; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      target[i] = state * SCALE;
    }
    this.#state = state;
  }

  reset(): void {
    this.#state = this.#seed;
  }
}
