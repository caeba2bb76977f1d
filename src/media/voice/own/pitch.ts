/** The pitch of voices lies below 400 Hz: heard at 2 kHz. */
const DECIMATION = 4;
const LAG_MIN = 5;
const LAG_MAX = 33;
/** What the running correlation keeps from hop to hop: it looks back some 25 ms. */
const KEEP = 0.62;

/** How periodic a stream is at the lags of a voice: a normalised autocorrelation that runs along. */
export class Pitch {
  /** 0 for noise to 1 for a steady voice or tone. */
  periodicity = 0;
  /** The lag it was found at, in samples of 2 kHz. */
  lag = LAG_MIN;
  readonly #hopSamples: number;
  readonly #line: Float32Array;
  readonly #correlation = new Float32Array(LAG_MAX + 1);
  #previous = 0;

  /** `hopSamples` at 8 kHz. */
  constructor(hopSamples: number) {
    this.#hopSamples = hopSamples / DECIMATION;
    this.#line = new Float32Array(LAG_MAX + this.#hopSamples);
  }

  hear(hop: Float32Array): void {
    this.#take(hop);
    const line = this.#line;
    const end = line.length;
    const correlation = this.#correlation;
    for (let lag = LAG_MIN; lag <= LAG_MAX; lag++) {
      let sum = 0;
      for (let i = LAG_MAX; i < end; i++) sum += line[i]! * line[i - lag]!;
      correlation[lag] = KEEP * correlation[lag]! + sum;
    }
    let energy = 0;
    for (let i = LAG_MAX; i < end; i++) energy += line[i]! * line[i]!;
    correlation[0] = KEEP * correlation[0]! + energy;
    this.#findPeak();
  }

  /** Sums of four samples, then their differences: rumble below a voice would look periodic at every lag. */
  #take(hop: Float32Array): void {
    const line = this.#line;
    line.copyWithin(0, this.#hopSamples);
    for (let i = 0; i < this.#hopSamples; i++) {
      const at = DECIMATION * i;
      const sum = hop[at]! + hop[at + 1]! + hop[at + 2]! + hop[at + 3]!;
      line[LAG_MAX + i] = sum - this.#previous;
      this.#previous = sum;
    }
  }

  #findPeak(): void {
    const correlation = this.#correlation;
    let best = LAG_MIN;
    for (let lag = LAG_MIN + 1; lag <= LAG_MAX; lag++) if (correlation[lag]! > correlation[best]!) best = lag;
    this.lag = best;
    // A whisper below one step of 16 bits has no pitch.
    this.periodicity = Math.max(0, correlation[best]! / (correlation[0]! + 2000));
  }
}
