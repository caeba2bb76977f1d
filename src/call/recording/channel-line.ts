import { frameSamples } from '../../base/units.ts';

/** Who is behind by more than this has been silent: its next frame belongs where the clock is. */
const BEHIND_TICKS_MAX = 5;
/** Providers that keep a buffer are sent a second ahead at most: those frames sound later than they leave. */
const AHEAD_TICKS_MAX = 60;
/** Ticks whose frames may still come; older ones are settled. */
export const SETTLED_AFTER_TICKS = 10;
const SLOTS = SETTLED_AFTER_TICKS + AHEAD_TICKS_MAX + 2;

/**
 * One channel of a recording: frames laid on ticks of 20 ms. They follow each other without a hole as long
 * as they keep time with the clock, however unevenly they come; after a pause they are laid where they came.
 */
export class ChannelLine {
  readonly stats = { crowdedFrames: 0, strangeFrames: 0 };
  readonly #frames: readonly Int16Array[];
  readonly #tickOf = new Float64Array(SLOTS).fill(-1);
  #nextTick = 0;

  constructor(sampleRateHz: number) {
    this.#frames = Array.from({ length: SLOTS }, () => new Int16Array(frameSamples(sampleRateHz)));
  }

  /** Copies one frame that came at `nowTick`. More than a second ahead of the clock it is dropped. */
  lay(frame: Int16Array, nowTick: number): void {
    const slotSamples = this.#frames[0]!.length;
    if (frame.length !== slotSamples) {
      this.stats.strangeFrames++;
      return;
    }
    if (this.#nextTick < nowTick - BEHIND_TICKS_MAX) this.#nextTick = nowTick;
    if (this.#nextTick > nowTick + AHEAD_TICKS_MAX) {
      this.stats.crowdedFrames++;
      return;
    }
    const slot = this.#nextTick % SLOTS;
    this.#frames[slot]!.set(frame);
    this.#tickOf[slot] = this.#nextTick++;
  }

  /** What is laid from `tick` on is forgotten. */
  cutFrom(tick: number): void {
    for (let slot = 0; slot < SLOTS; slot++) if (this.#tickOf[slot]! >= tick) this.#tickOf[slot] = -1;
    this.#nextTick = Math.min(this.#nextTick, tick);
  }

  /** The frame of a tick, or undefined where nothing was laid; valid until the next one is laid. */
  at(tick: number): Int16Array | undefined {
    const slot = tick % SLOTS;
    return this.#tickOf[slot] === tick ? this.#frames[slot] : undefined;
  }
}
