import { Background } from '../../src/media/conceal/background.ts';
import { TimeStretch } from '../../src/media/stretch/time-stretch.ts';
import { barkOf } from './measures.ts';
import type { Recording } from './recordings.ts';
import { Spectrum } from './spectrum.ts';

/** Makes another length of `source`; returns how many samples of `target` it wrote. */
export type Stretcher = (source: Int16Array, target: Int16Array, background: Background) => number;

/** What a way of stretching does to speech, two frames at a time. */
export interface StretchFigures {
  readonly changedPercent: number;
  readonly leftAlonePercent: number;
  /** Pieces with a step that is half as large again as any in what was said. */
  readonly clickPercent: number;
  /** Root mean square over Bark bands of the change of the mean spectrum. */
  readonly barkDb: number;
}

const CLICK_RATIO = 1.5;
// Steps of a few bits are nobody's click.
const STEP_MIN = 200;
const BAND_POWER_MIN = 10;

export const STRETCHERS: Readonly<Record<string, (sampleRateHz: number) => Stretcher>> = {
  'shorter by 10 ms cut out blindly': (sampleRateHz) => (source, target) => {
    const cut = sampleRateHz / 100;
    target.set(source.subarray(0, source.length / 2 - cut / 2));
    target.set(source.subarray(source.length / 2 + cut / 2), source.length / 2 - cut / 2);
    return source.length - cut;
  },
  'shorter, ours': (sampleRateHz) => {
    const stretch = new Map<Background, TimeStretch>();
    return (source, target, background) =>
      kept(stretch, background, sampleRateHz).shortenInto(source, source.length, target);
  },
  'longer by 10 ms said twice': (sampleRateHz) => (source, target) => {
    const cut = sampleRateHz / 100;
    target.set(source.subarray(0, source.length / 2));
    target.set(source.subarray(source.length / 2 - cut), source.length / 2);
    return source.length + cut;
  },
  'longer, ours': (sampleRateHz) => {
    const stretch = new Map<Background, TimeStretch>();
    return (source, target, background) =>
      kept(stretch, background, sampleRateHz).lengthenInto(source, source.length, target);
  },
};

function kept(made: Map<Background, TimeStretch>, background: Background, sampleRateHz: number): TimeStretch {
  const stretch = made.get(background) ?? new TimeStretch(sampleRateHz, background);
  made.set(background, stretch);
  return stretch;
}

/** Every piece of 40 ms of all recordings goes through it. */
export function measureStretching(recordings: readonly Recording[], name: string): StretchFigures {
  const { sampleRateHz } = recordings[0]!;
  const sums = new Sums(sampleRateHz);
  const piece = sampleRateHz / 25;
  const target = new Int16Array(2 * piece);
  for (const { samples } of recordings) {
    const stretcher = STRETCHERS[name]!(sampleRateHz);
    const background = new Background(sampleRateHz);
    for (let at = 0; at + piece <= samples.length; at += piece) {
      const source = samples.subarray(at, at + piece);
      background.hear(source.subarray(0, piece / 2));
      background.hear(source.subarray(piece / 2));
      sums.add(source, target.subarray(0, stretcher(source, target, background)));
    }
  }
  return sums.figures;
}

class Sums {
  readonly #sampleRateHz: number;
  readonly #spectrum: Spectrum;
  #pieces = 0;
  #leftAlone = 0;
  #clicks = 0;
  #samples = 0;
  #changed = 0;
  #barkDb = 0;

  constructor(sampleRateHz: number) {
    this.#sampleRateHz = sampleRateHz;
    this.#spectrum = new Spectrum(2 ** Math.floor(Math.log2(sampleRateHz * 0.02)));
  }

  get figures(): StretchFigures {
    const changedPieces = this.#pieces - this.#leftAlone;
    return {
      changedPercent: (100 * this.#changed) / this.#samples,
      leftAlonePercent: (100 * this.#leftAlone) / this.#pieces,
      clickPercent: (100 * this.#clicks) / this.#pieces,
      barkDb: this.#barkDb / changedPieces,
    };
  }

  add(source: Int16Array, heard: Int16Array): void {
    this.#pieces++;
    this.#samples += source.length;
    this.#changed += Math.abs(heard.length - source.length);
    if (heard.length === source.length) {
      this.#leftAlone++;
      return;
    }
    if (stepMax(heard) > Math.max(STEP_MIN, CLICK_RATIO * stepMax(source))) this.#clicks++;
    this.#barkDb += this.#barkBetween(source, heard);
  }

  #barkBetween(source: Int16Array, heard: Int16Array): number {
    const said = this.#meanBands(source);
    const found = this.#meanBands(heard);
    let squares = 0;
    for (let band = 0; band < said.length; band++) {
      squares += (10 * Math.log10((said[band]! + BAND_POWER_MIN) / (found[band]! + BAND_POWER_MIN))) ** 2;
    }
    return Math.sqrt(squares / said.length);
  }

  #meanBands(sound: Int16Array): Float64Array {
    const size = this.#spectrum.size;
    const bands = new Float64Array(Math.floor(barkOf(this.#sampleRateHz / 2)) + 1);
    const hop = size / 4;
    const windows = Math.floor((sound.length - size) / hop) + 1;
    for (let window = 0; window < windows; window++) {
      const power = this.#spectrum.measure(sound, window * hop);
      for (let k = 0; k < power.length; k++) {
        bands[Math.floor(barkOf((k * this.#sampleRateHz) / size))]! += power[k]! / windows;
      }
    }
    return bands;
  }
}

function stepMax(sound: Int16Array): number {
  let largest = 0;
  for (let i = 1; i < sound.length; i++) largest = Math.max(largest, Math.abs(sound[i]! - sound[i - 1]!));
  return largest;
}
