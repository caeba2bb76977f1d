import { frameSamples, msToSamples } from '../../base/units.ts';
import { Concealer } from '../conceal/concealer.ts';
import { TimeStretch } from '../stretch/time-stretch.ts';
import { SampleQueue } from './sample-queue.ts';

/** Over what is torn: longer than two periods of a low voice would blur words, shorter would click. */
const MEND_MS = 10;

/**
 * The sound that is about to be played: frames go in whole, shortened, lengthened or made up, and come out as
 * frames without a seam. Frames handed in may be changed.
 */
export class ElasticSound {
  readonly #frameSamples: number;
  readonly #concealer: Concealer;
  readonly #stretch: TimeStretch;
  readonly #queue: SampleQueue;
  /** The frame that went in last: only together with it is one frame long enough to find a period in. */
  readonly #last: Int16Array;
  readonly #made: Int16Array;
  readonly #copy: Int16Array;
  /** Frames put one behind the other, and what became of them. */
  readonly #gathered: Int16Array;
  readonly #stretched: Int16Array;
  readonly #mendSamples: number;
  #gatheredFrames = 0;

  constructor(sampleRateHz: number) {
    const samples = frameSamples(sampleRateHz);
    this.#frameSamples = samples;
    this.#mendSamples = msToSamples(MEND_MS, sampleRateHz);
    this.#concealer = new Concealer(sampleRateHz);
    this.#stretch = new TimeStretch(sampleRateHz, this.#concealer.background);
    // Less than a frame was left, and at most three come at once.
    this.#queue = new SampleQueue(4 * samples, samples);
    this.#last = new Int16Array(samples);
    this.#made = new Int16Array(samples);
    this.#copy = new Int16Array(samples);
    this.#gathered = new Int16Array(3 * samples);
    this.#stretched = new Int16Array(3 * samples);
  }

  /** Samples that wait to be played. */
  get waitingSamples(): number {
    return this.#queue.length;
  }

  get hasFrame(): boolean {
    return this.#queue.length >= this.#frameSamples;
  }

  shiftInto(target: Int16Array): void {
    this.#queue.shiftInto(target);
  }

  play(frame: Int16Array): void {
    this.#concealer.hear(frame);
    this.#push(frame);
  }

  /** Takes a frame, of three at most, that is to be played in less time with those after it. */
  gather(frame: Int16Array): void {
    this.#concealer.hear(frame);
    this.#gathered.set(frame, this.#gatheredFrames++ * this.#frameSamples);
    this.#last.set(frame);
  }

  /** Plays what was gathered, shortened so many times at most; returns the samples removed. */
  playGathered(times: number): number {
    const gatheredSamples = this.#gatheredFrames * this.#frameSamples;
    this.#gatheredFrames = 0;
    let samples = gatheredSamples;
    let sound = this.#gathered;
    let other = this.#stretched;
    for (let time = 0; time < times; time++) {
      const left = this.#stretch.shortenInto(sound, samples, other);
      if (left === samples) break;
      const shorter = other;
      other = sound;
      sound = shorter;
      samples = left;
    }
    this.#queue.push(sound, 0, samples);
    return gatheredSamples - samples;
  }

  /** Plays a frame in more time; returns the samples added. */
  playLengthened(frame: Int16Array): number {
    const pairSamples = 2 * this.#frameSamples;
    this.#concealer.hear(frame);
    this.#gathered.set(this.#last);
    this.#gathered.set(frame, this.#frameSamples);
    const samples = this.#stretch.lengthenInto(this.#gathered, pairSamples, this.#stretched);
    // The frame before has gone already: a change that begins in it comes too late.
    if (samples === pairSamples || !this.#isLastUntouched()) {
      this.#push(frame);
      return 0;
    }
    this.#queue.push(this.#stretched, this.#frameSamples, samples);
    this.#last.set(frame);
    return samples - pairSamples;
  }

  /** Plays a frame that does not follow the one before, as after a drop, without a click. */
  playMended(frame: Int16Array): void {
    this.#concealer.concealInto(this.#made);
    for (let i = 0; i < this.#mendSamples; i++) {
      const share = (i + 1) / (this.#mendSamples + 1);
      frame[i] = Math.round(share * frame[i]! + (1 - share) * this.#made[i]!);
    }
    // The concealer would fade once more, from where it went on to: it hears a copy.
    this.#copy.set(frame);
    this.#concealer.hear(this.#copy);
    this.#push(frame);
  }

  conceal(): void {
    this.#concealer.concealInto(this.#made);
    this.#push(this.#made);
  }

  comfort(): void {
    this.#concealer.comfortInto(this.#made);
    this.#push(this.#made);
  }

  /** Nothing comes any more: what waits is the last of what was made up, and goes. */
  fallSilent(): void {
    this.#queue.clear();
  }

  /** Comfort noise while nothing waits. */
  comfortInto(target: Int16Array): void {
    this.#concealer.comfortInto(target);
  }

  /** Puts what waits, less than a frame, and `frame` into `frame`; returns the samples that went. */
  foldInto(frame: Int16Array): number {
    const samples = this.#queue.length;
    this.#queue.foldInto(frame);
    return samples;
  }

  /** What came before has nothing to do with what comes. */
  reset(): void {
    this.#queue.clear();
    this.#concealer.reset();
    this.#last.fill(0);
  }

  #push(frame: Int16Array): void {
    this.#queue.push(frame, 0, this.#frameSamples);
    this.#last.set(frame);
  }

  #isLastUntouched(): boolean {
    for (let i = 0; i < this.#frameSamples; i++) {
      if (this.#stretched[i] !== this.#gathered[i]) return false;
    }
    return true;
  }
}
