import { invariant } from '../../base/errors.ts';
import { msToSamples } from '../../base/units.ts';
import type { Background } from '../conceal/background.ts';
import { PitchSearch } from '../conceal/pitch-search.ts';
import { isQuiet } from './quiet.ts';
import { spliceInto, type Passages } from './splice.ts';

/** The least there must be to compare a period of the longest pitch with the one before it. */
const STRETCH_MS_MIN = 30;
// 66 to 400 Hz.
const LAG_MS_MIN = 2.5;
const LAG_MS_MAX = 15;
// How alike two periods must be that one may stand for both: where WebRTC's NetEQ draws the line, too.
const ALIKE_RATIO_MIN = 0.9;
// In a pause nothing has a period: a whole frame goes or comes, behind a fade of this length.
const QUIET_FADE_MS = 5;
const QUIET_STEP_MS = 20;
const PLACES = 3;

/** Changes how long a piece of sound lasts by whole pitch periods, so that its pitch and its words stay. */
export class TimeStretch {
  readonly stats = {
    removedSamples: 0,
    addedSamples: 0,
    /** Calls after which the sound lasted longer or shorter. */
    stretched: 0,
    /** Calls that found no place where a cut would not be heard. */
    refused: 0,
  };
  readonly #background: Background | undefined;
  readonly #pitch: PitchSearch;
  readonly #samplesMin: number;
  readonly #fadeSamples: number;
  readonly #stepSamples: number;
  readonly #passages: Passages = { outAt: 0, inAt: 0, samples: 0 };

  /** `background` tells a pause in noise from speech; without it only near silence counts as a pause. */
  constructor(sampleRateHz: number, background?: Background) {
    this.#background = background;
    this.#samplesMin = msToSamples(STRETCH_MS_MIN, sampleRateHz);
    this.#fadeSamples = msToSamples(QUIET_FADE_MS, sampleRateHz);
    this.#stepSamples = msToSamples(QUIET_STEP_MS, sampleRateHz);
    const range = { lagMsMin: LAG_MS_MIN, lagMsMax: LAG_MS_MAX, windowMs: LAG_MS_MAX };
    this.#pitch = new PitchSearch(sampleRateHz, range);
  }

  /**
   * Removes one period of `source[0..samples)` where it sounds alike, or up to a frame of a pause. Returns
   * the samples written to `target`: as many as there were where nothing could go unheard.
   */
  shortenInto(source: Int16Array, samples: number, target: Int16Array): number {
    const changedSamples = this.#findChange(source, samples);
    if (changedSamples === 0) return this.#refuse(source, samples, target);
    const { outAt, inAt, samples: fadeSamples } = this.#passages;
    copyInto(source, 0, outAt, target, 0);
    spliceInto(source, this.#passages, target, outAt);
    copyInto(source, inAt + fadeSamples, samples, target, outAt + fadeSamples);
    this.stats.stretched++;
    this.stats.removedSamples += changedSamples;
    return samples - changedSamples;
  }

  /**
   * Repeats one period of `source[0..samples)` where it sounds alike, or up to a frame of a pause; `target`
   * has room for a frame more than `samples`. Returns the samples written.
   */
  lengthenInto(source: Int16Array, samples: number, target: Int16Array): number {
    const changedSamples = this.#findChange(source, samples);
    if (changedSamples === 0) return this.#refuse(source, samples, target);
    const passages = this.#passages;
    const { outAt, inAt, samples: fadeSamples } = passages;
    invariant(target.length >= samples + changedSamples, 'a lengthened sound needs room');
    // The way back: from the later passage into the earlier one, and then all of it once more.
    passages.outAt = inAt;
    passages.inAt = outAt;
    copyInto(source, 0, inAt, target, 0);
    spliceInto(source, passages, target, inAt);
    copyInto(source, outAt + fadeSamples, samples, target, inAt + fadeSamples);
    this.stats.stretched++;
    this.stats.addedSamples += changedSamples;
    return samples + changedSamples;
  }

  /** Finds two passages that may stand for one another; returns how far apart they are, 0 if none do. */
  #findChange(source: Int16Array, samples: number): number {
    if (samples < this.#samplesMin) return 0;
    if (isQuiet(source, samples, this.#background)) return this.#placeInPause(samples);
    const span = this.#samplesMin;
    for (let place = 0; place < PLACES; place++) {
      // The middle first, then the end and the beginning.
      const shift = place === 0 ? 0.5 : 2 - place;
      const end = span + Math.floor((samples - span) * shift);
      const lag = this.#pitch.find(source, end);
      if (this.#pitch.correlation[0]! < ALIKE_RATIO_MIN) continue;
      this.#place(end - span / 2 - lag, lag, lag);
      return lag;
    }
    return 0;
  }

  #placeInPause(samples: number): number {
    const step = Math.min(this.#stepSamples, samples - 2 * this.#fadeSamples);
    this.#place((samples - step - this.#fadeSamples) >> 1, step, this.#fadeSamples);
    return step;
  }

  #place(outAt: number, apart: number, fadeSamples: number): void {
    this.#passages.outAt = outAt;
    this.#passages.inAt = outAt + apart;
    this.#passages.samples = fadeSamples;
  }

  #refuse(source: Int16Array, samples: number, target: Int16Array): number {
    copyInto(source, 0, samples, target, 0);
    this.stats.refused++;
    return samples;
  }
}

function copyInto(source: Int16Array, from: number, to: number, target: Int16Array, at: number): void {
  for (let i = from; i < to; i++) target[at + i - from] = source[i]!;
}
