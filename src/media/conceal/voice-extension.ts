import { msToSamples } from '../../base/units.ts';
import { LinearPredictor, PREDICTOR_ORDER } from './linear-predictor.ts';
import { NoiseSource } from './noise-source.ts';
import { PitchSearch } from './pitch-search.ts';

// 66 to 400 Hz. A short window follows a voice that glides: 8 ms measured better than the 20 of ITU-T G.711
// Appendix I, on women's and men's voices.
const PITCH_RANGE = { lagMsMin: 2.5, lagMsMax: 15, windowMs: 8 };
const LAST_PERIODS = 3;
const PREDICTOR_WINDOW_MS = 20;
// After so long one period more is repeated, up to three: one alone soon buzzes. Appendix I waits 10.
const PERIOD_MS = 20;
// Below the lower likeness a sound is noise, above the upper a voice; between, a mixture.
const VOICED_RATIO_MIN = 0.1;
const VOICED_RATIO_MAX = 0.5;
// How fast the sound was falling when it broke off is measured over so long, and believed so far.
const DECAY_MS = 6;
const DECAY_POWER_RATIO_MIN = 0.1;
const SEED = 0x5eed_0002;

/**
 * Goes on with a sound where it broke off: what excites its spectral envelope is repeated period by period as
 * far as it was periodic, and is noise as far as it was not. The filter goes on from the last samples heard,
 * so there is no joint.
 */
export class VoiceExtension {
  /** One number: how much quieter the sound became from one sample to the next; 1 where it did not. */
  readonly decayRatio = new Float64Array(1);
  readonly #pitch: PitchSearch;
  readonly #predictor: LinearPredictor;
  readonly #source = new NoiseSource(SEED);
  readonly #residual: Float64Array;
  readonly #noise: Float64Array;
  readonly #made: Float64Array;
  /** Shares of what is repeated and of noise in what excites. */
  readonly #shares = new Float64Array(2);
  readonly #periodSamples: number;
  readonly #decaySamples: number;
  #lagSamples = 1;
  #phaseSamples = 0;
  #madeSamples = 0;

  constructor(sampleRateHz: number, samplesMax: number) {
    this.#pitch = new PitchSearch(sampleRateHz, PITCH_RANGE);
    this.#predictor = new LinearPredictor(msToSamples(PREDICTOR_WINDOW_MS, sampleRateHz));
    this.#residual = new Float64Array(LAST_PERIODS * msToSamples(PITCH_RANGE.lagMsMax, sampleRateHz));
    this.#noise = new Float64Array(samplesMax);
    this.#made = new Float64Array(PREDICTOR_ORDER + samplesMax);
    this.#periodSamples = msToSamples(PERIOD_MS, sampleRateHz);
    this.#decaySamples = msToSamples(DECAY_MS, sampleRateHz);
  }

  /** Learns what to go on with: `history` ends where the gap begins. */
  begin(history: Int16Array): void {
    const end = history.length;
    this.#lagSamples = this.#pitch.find(history, end);
    this.#predictor.analyse(history, end);
    this.#phaseSamples = 0;
    this.#madeSamples = 0;
    for (let k = 0; k < PREDICTOR_ORDER; k++) this.#made[k] = history[end - PREDICTOR_ORDER + k]!;
    this.#separate(history);
    this.#share();
    this.#follow(history);
  }

  /** At most as many samples as it was made for. */
  extendInto(samples: number, target: Float64Array): void {
    const made = this.#made;
    const noise = this.#noise;
    const coefficients = this.#predictor.coefficients;
    this.#excite(samples);
    for (let i = 0; i < samples; i++) {
      let sum = noise[i]!;
      for (let k = 0; k < PREDICTOR_ORDER; k++) sum += coefficients[k]! * made[PREDICTOR_ORDER + i - 1 - k]!;
      made[PREDICTOR_ORDER + i] = sum;
      target[i] = sum;
    }
    made.copyWithin(0, samples, samples + PREDICTOR_ORDER);
    this.#madeSamples += samples;
  }

  reset(): void {
    this.#source.reset();
  }

  #separate(history: Int16Array): void {
    const residual = this.#residual;
    const coefficients = this.#predictor.coefficients;
    const start = history.length - residual.length;
    for (let i = 0; i < residual.length; i++) {
      let left = history[start + i]!;
      for (let k = 0; k < PREDICTOR_ORDER; k++) left -= coefficients[k]! * history[start + i - 1 - k]!;
      residual[i] = left;
    }
  }

  #share(): void {
    const likeness = this.#pitch.correlation[0]!;
    const span = VOICED_RATIO_MAX - VOICED_RATIO_MIN;
    const voiced = Math.min(1, Math.max(0, (likeness - VOICED_RATIO_MIN) / span));
    this.#shares[0] = voiced;
    let power = 0;
    const from = this.#residual.length - this.#lagSamples;
    for (let i = from; i < this.#residual.length; i++) power += this.#residual[i]! ** 2;
    this.#shares[1] = Math.sqrt((1 - voiced * voiced) * (power / this.#lagSamples));
  }

  /** Compares the power of the last whole period, or a little more, with the one before it. */
  #follow(history: Int16Array): void {
    const samples = Math.max(this.#lagSamples, this.#decaySamples);
    const from = history.length - samples;
    let last = 1;
    let before = 1;
    for (let i = from; i < history.length; i++) {
      last += history[i]! * history[i]!;
      before += history[i - samples]! * history[i - samples]!;
    }
    const ratio = Math.min(1, Math.max(DECAY_POWER_RATIO_MIN, last / before));
    this.decayRatio[0] = ratio ** (0.5 / samples);
  }

  #excite(samples: number): void {
    const noise = this.#noise;
    const residual = this.#residual;
    const repeated = this.#shares[0]!;
    const noisy = this.#shares[1]!;
    const lag = this.#lagSamples;
    let phase = this.#phaseSamples;
    this.#source.fillInto(samples, noise);
    for (let i = 0; i < samples; i++) {
      const periods = Math.min(LAST_PERIODS, 1 + Math.floor((this.#madeSamples + i) / this.#periodSamples));
      if (phase >= periods * lag) phase = 0;
      noise[i] = repeated * residual[residual.length - periods * lag + phase]! + noisy * noise[i]!;
      phase++;
    }
    this.#phaseSamples = phase;
  }
}
