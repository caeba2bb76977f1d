import { FRAME_SAMPLES } from '../load/speech.ts';

/** As loud as a telephone's echo is said to be at worst. */
const GAIN_RATIO = 10 ** (-20 / 20);
/** Reflections of a line: how many samples later, and how much of it. */
const REFLECTIONS = [
  [0, 0.88],
  [9, 0.35],
  [23, -0.26],
  [40, 0.13],
] as const;
/** What arrives just in time would leave holes in what comes back. */
const AHEAD_FRAMES = 3;
const PAST_SAMPLES = 4096;

/** What of the sound that is played to a caller comes back on the caller's own line, so much later. */
export class EchoPath {
  readonly #delaySamples: number;
  readonly #waiting: Int16Array[] = [];
  readonly #past = new Int16Array(PAST_SAMPLES);
  #passedSamples = 0;
  #isFlowing = false;

  /** Of the delay, the frames that are waited for are a part. */
  constructor(delaySamples: number) {
    this.#delaySamples = Math.max(0, delaySamples - AHEAD_FRAMES * FRAME_SAMPLES);
  }

  played(frame: Int16Array): void {
    this.#waiting.push(frame);
    if (this.#waiting.length >= AHEAD_FRAMES) this.#isFlowing = true;
  }

  /** Adds the next frame of what comes back; false where what was played ends here, or has a hole. */
  addTo(line: Float64Array): boolean {
    const wasFlowing = this.#isFlowing;
    const frame = this.#isFlowing ? this.#waiting.shift() : undefined;
    this.#isFlowing = frame !== undefined;
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const at = this.#passedSamples++;
      this.#past[at % PAST_SAMPLES] = frame?.[i] ?? 0;
      for (const [later, share] of REFLECTIONS) {
        const from = at - this.#delaySamples - later;
        if (from >= 0) line[i]! += GAIN_RATIO * share * this.#past[from % PAST_SAMPLES]!;
      }
    }
    return this.#isFlowing || !wasFlowing;
  }
}
