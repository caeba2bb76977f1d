import { invariant } from '../../base/errors.ts';
import { frameSamples, msToSamples } from '../../base/units.ts';
import { Limiter } from './limiter.ts';

/** The most a source may be turned up: 12 dB. */
export const GAIN_MAX = 4;
const GAIN_PROMISE = `a gain is 0 to ${GAIN_MAX}`;
// A 32-bit float is exact to 2^24: so many sources at full gain and full scale add up without rounding.
const SOURCES_MAX = 128;
/** How long a source fades in that begins in the middle of a sound, and out that breaks off. */
const EDGE_MS = 5;

/** Who hears, and how many may be heard. */
export interface MixerOptions {
  readonly sampleRateHz: number;
  readonly sources: number;
  /** The listener's own place among the sources: never heard, whatever is added. Absent: listens only. */
  readonly listener?: number;
}

/**
 * What one listener hears: everybody else, each at a gain of the routing matrix. Each tick: `begin`, `add`
 * for every source that has a frame, `takeInto`. One source alone at gain 1 passes bit for bit. A new gain is
 * reached over one frame; a source that begins fades in, one that is missing fades out by itself.
 */
export class Mixer {
  readonly limiter = new Limiter();
  readonly #listener: number;
  readonly #sum: Float32Array;
  /** Per source: the gain its last frame ended with, and the one wanted. */
  readonly #gains: Float32Array;
  readonly #wanted: Float32Array;
  /** Per source: did its last frame sound to its end, and has it been added in this tick? */
  readonly #isSounding: Uint8Array;
  readonly #isAdded: Uint8Array;
  /** Per source: the end of its last frame. */
  readonly #ends: readonly Int16Array[];
  readonly #edgeSamples: number;

  constructor({ sampleRateHz, sources, listener = -1 }: MixerOptions) {
    invariant(
      sources >= 1 && sources <= SOURCES_MAX,
      `a mixer of ${sources} sources; ${SOURCES_MAX} at most`,
    );
    const edgeSamples = msToSamples(EDGE_MS, sampleRateHz);
    this.#listener = listener;
    this.#sum = new Float32Array(frameSamples(sampleRateHz));
    this.#gains = new Float32Array(sources).fill(1);
    this.#wanted = new Float32Array(sources).fill(1);
    this.#isSounding = new Uint8Array(sources);
    this.#isAdded = new Uint8Array(sources);
    this.#ends = Array.from({ length: sources }, () => new Int16Array(edgeSamples));
    this.#edgeSamples = edgeSamples;
  }

  /** How loud a source is from its next frame on: 0 (not heard) to `GAIN_MAX`. */
  setGain(source: number, gain: number): void {
    invariant(gain >= 0 && gain <= GAIN_MAX, GAIN_PROMISE);
    this.#wanted[source] = gain;
  }

  /**
   * Tells that the listener hears this source already, at its gain, from elsewhere: it goes on in the mix
   * without being faded in. `lastFrame` is the one heard last.
   */
  carryOn(source: number, lastFrame: Int16Array): void {
    this.#gains[source] = this.#wanted[source]!;
    this.#isSounding[source] = 1;
    this.#keepEnd(source, lastFrame);
  }

  /** Empties a place for somebody else: nothing of who had it is heard again. */
  release(source: number): void {
    this.#gains[source] = 1;
    this.#wanted[source] = 1;
    this.#isSounding[source] = 0;
    this.#isAdded[source] = 0;
  }

  /** A new tick: silence, so far. */
  begin(): void {
    this.#sum.fill(0);
    this.#isAdded.fill(0);
  }

  /** Adds the next frame of a source, once a tick. */
  add(frame: Int16Array, source: number): void {
    invariant(source >= 0 && source < this.#gains.length, 'a source has its place in the mixer');
    if (source === this.#listener) return;
    this.#isAdded[source] = 1;
    // Gains are not handed over: a broken number given to a function is put on the heap, frame after frame.
    if (this.#isSounding[source] === 0) this.#addBeginning(frame, source);
    else if (this.#gains[source] !== this.#wanted[source]) this.#addRamp(frame, source);
    else if (this.#gains[source] === 1) this.#addPlain(frame);
    else this.#addScaled(frame, source);
    this.#gains[source] = this.#wanted[source]!;
    this.#isSounding[source] = 1;
    this.#keepEnd(source, frame);
  }

  /** Writes what is heard; answers whether anybody is: if not, `target` is silence. */
  takeInto(target: Int16Array): boolean {
    let isAnybody = false;
    for (let source = 0; source < this.#isSounding.length; source++) {
      if (this.#isSounding[source] === 0) continue;
      isAnybody = true;
      if (this.#isAdded[source] === 0) this.#addEnding(source);
    }
    this.limiter.limitInto(this.#sum, target);
    return isAnybody;
  }

  #addPlain(frame: Int16Array): void {
    const sum = this.#sum;
    for (let i = 0; i < sum.length; i++) sum[i]! += frame[i]!;
  }

  #addScaled(frame: Int16Array, source: number): void {
    const sum = this.#sum;
    const gain = this.#gains[source]!;
    for (let i = 0; i < sum.length; i++) sum[i]! += gain * frame[i]!;
  }

  #addRamp(frame: Int16Array, source: number): void {
    const sum = this.#sum;
    const from = this.#gains[source]!;
    const step = (this.#wanted[source]! - from) / sum.length;
    for (let i = 0; i < sum.length; i++) sum[i]! += (from + step * (i + 1)) * frame[i]!;
  }

  #addBeginning(frame: Int16Array, source: number): void {
    const sum = this.#sum;
    const gain = this.#wanted[source]!;
    const edge = this.#edgeSamples;
    for (let i = 0; i < sum.length; i++) {
      const share = i < edge ? (i + 1) / (edge + 1) : 1;
      sum[i]! += share * gain * frame[i]!;
    }
  }

  /** The end of what was heard last runs backwards and fades within 5 ms: no step in the sound. */
  #addEnding(source: number): void {
    const sum = this.#sum;
    const edge = this.#edgeSamples;
    const gain = this.#gains[source]!;
    const end = this.#ends[source]!;
    for (let i = 0; i < edge; i++) sum[i]! += gain * (1 - (i + 1) / (edge + 1)) * end[edge - 1 - i]!;
    this.#isSounding[source] = 0;
  }

  #keepEnd(source: number, frame: Int16Array): void {
    const end = this.#ends[source]!;
    const first = frame.length - end.length;
    for (let i = 0; i < end.length; i++) end[i] = frame[first + i]!;
  }
}
