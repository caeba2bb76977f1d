import { invariant, VoiceError } from '../../base/errors.ts';
import { HalfBand } from '../voice/own/half-band.ts';

/** What detectors of tones listen at: no tone of a telephone lies above 4 kHz. */
export const HEARD_HZ = 8000;
/** Media times that differ by less are the same: they are rounded on their way. */
const JITTER_MS = 1;

/** Tells the media time of the end of the hop: a number that is handed on is one on the heap. */
export interface HopClock {
  readonly endMs: number;
}

/** Where the hops go; times are media times. */
export interface HopListener {
  /** One hop of samples at 8 kHz, valid until the call returns; `clock` says when it ended. */
  hearHop(hop: Float32Array, clock: HopClock): void;
  /** Sound is missing, and the next hop begins `gapMs` after the end of the last one; negative: earlier. */
  skip(gapMs: number): void;
}

/**
 * Cuts what it hears into hops of one length at 8 kHz, whatever pieces it comes in: detectors behind it
 * give the
 * same answer at any chunking. A hop that a gap cuts off is dropped.
 */
export class TelephoneHops implements HopClock {
  endMs = 0;
  readonly stats = { gaps: 0 };
  readonly #listener: HopListener;
  readonly #hop: Float32Array;
  readonly #raw: Int16Array;
  readonly #half: HalfBand | undefined;
  readonly #samplesPerMs: number;
  #filled = 0;
  #baseMs = 0;
  #samplesSinceBase = 0;
  #hasBegun = false;

  constructor(sampleRateHz: number, hopMs: number, listener: HopListener) {
    if (sampleRateHz !== HEARD_HZ && sampleRateHz !== 2 * HEARD_HZ) {
      throw new VoiceError('invalid_argument', `no tones are heard at ${sampleRateHz} Hz`);
    }
    const hopSamples = (hopMs * sampleRateHz) / 1000;
    invariant(Number.isInteger(hopSamples), 'a hop is whole samples');
    this.#listener = listener;
    this.#samplesPerMs = sampleRateHz / 1000;
    this.#raw = new Int16Array(hopSamples);
    this.#hop = new Float32Array((hopMs * HEARD_HZ) / 1000);
    this.#half = sampleRateHz === HEARD_HZ ? undefined : new HalfBand(hopSamples);
  }

  /** Any number of samples, the first of them at `mediaMs`. */
  hear(samples: Int16Array, mediaMs: number): void {
    this.#keepTime(mediaMs);
    const raw = this.#raw;
    let at = 0;
    while (at < samples.length) {
      const filled = this.#filled;
      const count = Math.min(raw.length - filled, samples.length - at);
      for (let i = 0; i < count; i++) raw[filled + i] = samples[at + i]!;
      at += count;
      this.#filled += count;
      if (this.#filled < raw.length) return;
      this.#filled = 0;
      this.#samplesSinceBase += raw.length;
      this.#pass();
    }
  }

  #keepTime(mediaMs: number): void {
    const pastSamples = this.#samplesSinceBase + this.#filled;
    const gapMs = mediaMs - (this.#baseMs + pastSamples / this.#samplesPerMs);
    if (this.#hasBegun && Math.abs(gapMs) < JITTER_MS) return;
    if (this.#hasBegun) {
      this.stats.gaps++;
      this.#listener.skip(gapMs + this.#filled / this.#samplesPerMs);
    }
    this.#hasBegun = true;
    this.#baseMs = mediaMs;
    this.#samplesSinceBase = 0;
    this.#filled = 0;
  }

  #pass(): void {
    const hop = this.#hop;
    const raw = this.#raw;
    if (this.#half !== undefined) this.#half.halveInto(raw, hop);
    else for (let i = 0; i < hop.length; i++) hop[i] = raw[i]!;
    this.endMs = this.#baseMs + this.#samplesSinceBase / this.#samplesPerMs;
    this.#listener.hearHop(hop, this);
  }
}
