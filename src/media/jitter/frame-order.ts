import type { AtMs } from '../../base/clock.ts';
import { FRAME_MS } from '../../base/units.ts';

/** A jump further than this, either way, is a sender that started over (RFC 3550 A.1, MAX_MISORDER). */
const JUMP_FRAMES_MAX = 100;
/** A sender that leaves out silence leaves out two frames or more: one is a timestamp that was rounded. */
const SILENT_FRAMES_MIN = 2;
const SILENT_FRAMES_MAX = 60_000;

/** Where our own numbers begin: high enough that none from before the first is negative. */
export const FIRST_NUMBER = 0x1_0000;

/**
 * Gives every frame its place in the sender's time, as one number that never wraps. The sequence
 * orders; the timestamps only add the silence that the sender left out, and only where the arrivals
 * bear them out, so that a clock that is wrong, missing or in another unit does no harm.
 */
export class FrameOrder {
  /** Frames of silence that were left out before the frame numbered last. */
  silentFrames = 0;
  /** Whether the frame numbered last began a new stream. It is put right behind the old one. */
  isRestart = false;
  readonly #frameSamples: number;
  #newest = -1;
  #sequence = 0;
  #timestampSamples = -1;
  #arrivedAtMs: AtMs = 0;

  constructor(frameSamples: number) {
    this.#frameSamples = frameSamples;
  }

  numberOf(sequence: number, timestampSamples: number, arrivedAtMs: AtMs): number {
    this.silentFrames = 0;
    this.isRestart = false;
    if (this.#newest < 0) return this.#follow(FIRST_NUMBER, sequence, timestampSamples, arrivedAtMs);
    const stepFrames = ((sequence - this.#sequence) << 16) >> 16;
    if (Math.abs(stepFrames) > JUMP_FRAMES_MAX) {
      this.isRestart = true;
      return this.#follow(this.#newest + 1, sequence, timestampSamples, arrivedAtMs);
    }
    const skippedFrames = this.#skippedFrames(stepFrames, timestampSamples);
    if (stepFrames <= 0) return this.#newest + stepFrames - skippedFrames;
    const passedMs = arrivedAtMs - this.#arrivedAtMs;
    if (passedMs >= ((stepFrames + skippedFrames) * FRAME_MS) / 2) this.silentFrames = skippedFrames;
    const number = this.#newest + stepFrames + this.silentFrames;
    return this.#follow(number, sequence, timestampSamples, arrivedAtMs);
  }

  /** The next frame, whatever its number, begins the order anew. */
  reset(): void {
    this.#newest = -1;
  }

  #follow(number: number, sequence: number, timestampSamples: number, arrivedAtMs: AtMs): number {
    this.#newest = number;
    this.#sequence = sequence;
    this.#timestampSamples = timestampSamples;
    this.#arrivedAtMs = arrivedAtMs;
    return number;
  }

  /** How many frames the timestamps went on by beyond those of the sequence. */
  #skippedFrames(stepFrames: number, timestampSamples: number): number {
    if (timestampSamples < 0 || this.#timestampSamples < 0) return 0;
    // To 32 bits with a sign: a timestamp wraps.
    const stepSamples = (timestampSamples - this.#timestampSamples) | 0;
    const frames = Math.abs(Math.round(stepSamples / this.#frameSamples)) - Math.abs(stepFrames);
    if (stepSamples > 0 !== stepFrames > 0) return 0;
    return frames >= SILENT_FRAMES_MIN && frames <= SILENT_FRAMES_MAX ? frames : 0;
  }
}
