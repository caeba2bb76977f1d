import { frameSamples } from '../../base/units.ts';
import type { Background } from './background.ts';
import { LinearPredictor, PREDICTOR_ORDER } from './linear-predictor.ts';
import { NoiseSource } from './noise-source.ts';

const SEED = 0x5eed_0001;

/** Noise with the level and the colour of the background heard. */
export class ComfortNoise {
  readonly #background: Background;
  readonly #predictor: LinearPredictor;
  readonly #source = new NoiseSource(SEED);
  /** The samples made last stand before those being made. */
  readonly #made: Float64Array;
  readonly #noise: Float64Array;
  #learnedVersion = 0;

  constructor(sampleRateHz: number, background: Background) {
    this.#background = background;
    this.#predictor = new LinearPredictor(background.kept.length);
    this.#noise = new Float64Array(frameSamples(sampleRateHz));
    this.#made = new Float64Array(PREDICTOR_ORDER + this.#noise.length);
  }

  /** At most one frame of it. */
  fillInto(samples: number, target: Float64Array): void {
    if (this.#learnedVersion !== this.#background.version) this.#learn();
    const made = this.#made;
    const noise = this.#noise;
    const coefficients = this.#predictor.coefficients;
    const gain = Math.sqrt(this.#predictor.residualPower[0]!);
    this.#source.fillInto(samples, noise);
    for (let i = 0; i < samples; i++) {
      let sum = gain * noise[i]!;
      for (let k = 0; k < PREDICTOR_ORDER; k++) sum += coefficients[k]! * made[PREDICTOR_ORDER + i - 1 - k]!;
      made[PREDICTOR_ORDER + i] = sum;
      target[i] = sum;
    }
    made.copyWithin(0, samples, samples + PREDICTOR_ORDER);
  }

  reset(): void {
    this.#learnedVersion = 0;
    this.#predictor.forget();
    this.#made.fill(0);
    this.#source.reset();
  }

  #learn(): void {
    this.#learnedVersion = this.#background.version;
    this.#predictor.analyse(this.#background.kept, this.#background.kept.length);
  }
}
