import { FRAME_MS, frameSamples } from '../../base/units.ts';
import { FrameRing } from '../frame-ring.ts';
import { LEAD_HOPS_MAX, type VoiceSettings } from '../voice-detector.ts';

/** An onset may be traced back by so much. */
const LEAD_MS_MAX = LEAD_HOPS_MAX * 10;

/** How much of the time before a detected onset is kept (calls.md, Talking). */
const PRE_ROLL_MS = 300;

/**
 * The last moments of a line, for listeners that take speech only: hold every frame while nobody speaks, and
 * at `voice_detected` take all of it, so that nothing of the first word is cut off. It reaches 300 ms before
 * the onset, so it holds more than that by the time a confirmation takes, and by how far
 * an onset may be traced back.
 */
export class PreRoll {
  readonly #ring: FrameRing;

  constructor(sampleRateHz: number, { startMs }: Pick<VoiceSettings, 'startMs'>) {
    // The onset may lie in the middle of a frame: one more frame than both durations need.
    const framesMax = Math.ceil((PRE_ROLL_MS + LEAD_MS_MAX + startMs) / FRAME_MS) + 1;
    this.#ring = new FrameRing(framesMax, frameSamples(sampleRateHz));
  }

  /** How much is held. */
  get depthMs(): number {
    return this.#ring.length * FRAME_MS;
  }

  hold(frame: Int16Array): void {
    this.#ring.push(frame);
  }

  /** Moves the oldest held frame into `target`; false when all are out. */
  takeInto(target: Int16Array): boolean {
    return this.#ring.shiftInto(target);
  }

  clear(): void {
    this.#ring.clear();
  }
}
