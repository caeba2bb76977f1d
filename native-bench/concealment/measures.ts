import { Spectrum } from './spectrum.ts';

/** How far what is heard is from what was said, over the stretches that losses touched. */
export interface Distance {
  /** Mean of the signal to error ratios of lost frames and the 10 ms behind them, each from −10 to 35 dB. */
  segmentalSnrDb: number;
  /** Root mean square over Bark bands of the difference of levels, per window. */
  barkDb: number;
  /** Squared difference of loudness in Bark bands, in percent of the squared loudness of what was said. */
  loudnessPercent: number;
  frames: number;
}

const SNR_DB_MIN = -10;
const SNR_DB_MAX = 35;
// Speech is judged: a frame below −50 dB full scale is a pause.
const ACTIVE_POWER = 1e-5 * 32_768 ** 2;
// Nobody hears in a telephone what is 80 dB below full scale in one band.
const BAND_POWER_MIN = 1e-8 * 32_768 ** 2;
const WINDOW_MS = 32;
const HOP_MS = 10;
// Loudness grows with this power of intensity (Stevens; Zwicker's 0.23).
const LOUDNESS_EXPONENT = 0.23;

/** Adds up what recordings sound like after losses. */
export class Judge {
  readonly #sampleRateHz: number;
  readonly #spectrum: Spectrum;
  readonly #bandOf: Uint8Array;
  readonly #bands: number;
  #snrDb = 0;
  #frames = 0;
  #barkDb = 0;
  #windows = 0;
  #loudnessError = 0;
  #loudness = 0;

  constructor(sampleRateHz: number) {
    this.#sampleRateHz = sampleRateHz;
    const size = 2 ** Math.ceil(Math.log2((WINDOW_MS * sampleRateHz) / 1000));
    this.#spectrum = new Spectrum(size);
    this.#bandOf = Uint8Array.from(this.#spectrum.power, (_, k) =>
      Math.floor(barkOf((k * sampleRateHz) / size)),
    );
    this.#bands = this.#bandOf.at(-1)! + 1;
  }

  get distance(): Distance {
    return {
      segmentalSnrDb: this.#snrDb / this.#frames,
      barkDb: this.#barkDb / this.#windows,
      loudnessPercent: (100 * this.#loudnessError) / this.#loudness,
      frames: this.#frames,
    };
  }

  hear(said: Int16Array, heard: Int16Array, lost: Uint8Array): void {
    const samples = this.#sampleRateHz / 50;
    for (let index = 0; index < lost.length; index++) {
      if (lost[index] === 0) continue;
      // What fading in does to the next frame is the error of this one.
      const isLast = lost[index + 1] === 0;
      this.#addSnr(said, heard, index * samples, isLast ? samples * 1.5 : samples);
    }
    const hop = (this.#sampleRateHz * HOP_MS) / 1000;
    for (let at = 0; at + this.#spectrum.size <= lost.length * samples; at += hop) {
      const first = Math.floor(at / samples);
      const last = Math.floor((at + this.#spectrum.size - 1) / samples);
      let isNear = false;
      for (let index = first; index <= last; index++) isNear ||= lost[index] === 1;
      if (isNear) this.#addSpectra(said, heard, at);
    }
  }

  #addSnr(said: Int16Array, heard: Int16Array, at: number, samples: number): void {
    let signal = 0;
    let error = 1;
    for (let i = at; i < at + samples; i++) {
      signal += said[i]! ** 2;
      error += (said[i]! - heard[i]!) ** 2;
    }
    if (signal < ACTIVE_POWER * samples) return;
    this.#snrDb += Math.max(SNR_DB_MIN, Math.min(SNR_DB_MAX, 10 * Math.log10(signal / error)));
    this.#frames++;
  }

  #addSpectra(said: Int16Array, heard: Int16Array, at: number): void {
    const expected = this.#bandPowers(said, at);
    if (expected.reduce((sum, power) => sum + power, 0) < ACTIVE_POWER / 2) return;
    const found = this.#bandPowers(heard, at);
    let squares = 0;
    for (let band = 0; band < this.#bands; band++) {
      const p = expected[band]! + BAND_POWER_MIN;
      const q = found[band]! + BAND_POWER_MIN;
      squares += (10 * Math.log10(p / q)) ** 2;
      this.#loudnessError += (p ** LOUDNESS_EXPONENT - q ** LOUDNESS_EXPONENT) ** 2;
      this.#loudness += p ** (2 * LOUDNESS_EXPONENT);
    }
    this.#barkDb += Math.sqrt(squares / this.#bands);
    this.#windows++;
  }

  #bandPowers(sound: Int16Array, at: number): Float64Array {
    const powers = new Float64Array(this.#bands);
    const spectrum = this.#spectrum.measure(sound, at);
    for (let k = 0; k < spectrum.length; k++) powers[this.#bandOf[k]!]! += spectrum[k]!;
    return powers;
  }
}

/** Frequency on the scale of the ear's bands: Traunmüller's formula (1990). */
export function barkOf(frequencyHz: number): number {
  return Math.max(0, (26.81 * frequencyHz) / (1960 + frequencyHz) - 0.53);
}
