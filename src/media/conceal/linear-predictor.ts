/** As far back as a sample is predicted from. */
export const PREDICTOR_ORDER = 16;

// As in the speech codecs of ITU-T: noise 40 dB down keeps the recursion well conditioned, and poles drawn
// a little inward let what rings on die away.
const WHITE_NOISE_RATIO = 1.0001;
const INWARD_RATIO = 0.994;

/** The spectral envelope of a stretch of sound, as the all-pole filter that makes it out of white noise. */
export class LinearPredictor {
  /** `c[k]` weighs the sample k + 1 back; the sum predicts the next. */
  readonly coefficients = new Float64Array(PREDICTOR_ORDER);
  /** One number: the power of what prediction leaves over, per sample. */
  readonly residualPower = new Float64Array(1);
  readonly #correlation = new Float64Array(PREDICTOR_ORDER + 1);
  readonly #previous = new Float64Array(PREDICTOR_ORDER);
  readonly #window: Float64Array;
  readonly #windowed: Float64Array;
  readonly #windowPower: number;

  constructor(windowSamples: number) {
    this.#window = new Float64Array(windowSamples);
    this.#windowed = new Float64Array(windowSamples);
    // Rises slowly and falls late: what was heard last says most about what comes.
    const riseSamples = Math.floor(windowSamples * 0.875);
    let power = 0;
    for (let i = 0; i < windowSamples; i++) {
      const isRising = i < riseSamples;
      const phase = isRising
        ? (i + 0.5) / riseSamples
        : (windowSamples - i - 0.5) / (windowSamples - riseSamples);
      this.#window[i] = Math.sin((Math.PI / 2) * phase);
      power += this.#window[i]! ** 2;
    }
    this.#windowPower = power;
  }

  /** Learns from the window that ends before `source[end]`. */
  analyse(source: Int16Array, end: number): void {
    const window = this.#window;
    const windowed = this.#windowed;
    const start = end - window.length;
    for (let i = 0; i < window.length; i++) windowed[i] = window[i]! * source[start + i]!;
    this.#correlate();
    this.#solve();
  }

  forget(): void {
    this.coefficients.fill(0);
    this.residualPower[0] = 0;
  }

  #correlate(): void {
    const windowed = this.#windowed;
    for (let lag = 0; lag <= PREDICTOR_ORDER; lag++) {
      let sum = 0;
      for (let i = lag; i < windowed.length; i++) sum += windowed[i]! * windowed[i - lag]!;
      this.#correlation[lag] = sum;
    }
    this.#correlation[0]! *= WHITE_NOISE_RATIO;
  }

  /** Levinson and Durbin's recursion. */
  #solve(): void {
    const correlation = this.#correlation;
    const coefficients = this.coefficients;
    this.forget();
    let error = correlation[0]!;
    if (error < 1) return;
    for (let order = 0; order < PREDICTOR_ORDER; order++) {
      let reflection = correlation[order + 1]!;
      for (let k = 0; k < order; k++) reflection -= coefficients[k]! * correlation[order - k]!;
      reflection /= error;
      this.#previous.set(coefficients);
      coefficients[order] = reflection;
      for (let k = 0; k < order; k++) coefficients[k]! -= reflection * this.#previous[order - 1 - k]!;
      error *= 1 - reflection * reflection;
    }
    let inward = 1;
    for (let k = 0; k < PREDICTOR_ORDER; k++) coefficients[k]! *= inward *= INWARD_RATIO;
    this.residualPower[0] = error / this.#windowPower;
  }
}
