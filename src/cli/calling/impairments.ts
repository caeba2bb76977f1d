import type { AtMs, Dice } from '../../base/clock.ts';
import { FRAME_MS } from '../../base/units.ts';

/** How bad the network between caller and house shall be. */
export interface ImpairmentWish {
  readonly lossPercent: number;
  /** Each frame is late by something between 0 and this. */
  readonly jitterMs: number;
  readonly reorderPercent: number;
  readonly driftPpm: number;
}

/** A bad network, one frame at a time. */
export class Impairments {
  readonly stats = { lostFrames: 0, reorderedFrames: 0 };
  readonly #wish: ImpairmentWish;
  readonly #dice: Dice;
  #lastAtMs: AtMs = Number.NEGATIVE_INFINITY;

  constructor(wish: ImpairmentWish, dice: Dice) {
    this.#wish = wish;
    this.#dice = dice;
  }

  /** When the frame that was sent at `dueAtMs` comes out at the other end; undefined: never. */
  departureAtMs(dueAtMs: AtMs): AtMs | undefined {
    const { lossPercent, jitterMs, reorderPercent } = this.#wish;
    // All dice fall for every frame: one wish more does not change where the others strike.
    const [loss, delay, reorder] = [this.#dice(), this.#dice(), this.#dice()];
    if (loss * 100 < lossPercent) {
      this.stats.lostFrames++;
      return undefined;
    }
    const delayedAtMs = dueAtMs + delay * jitterMs;
    if (reorder * 100 < reorderPercent) {
      this.stats.reorderedFrames++;
      // Behind the next frame, or the one after, however late that one is.
      return delayedAtMs + jitterMs + 1.5 * FRAME_MS;
    }
    // A queue delays but keeps the order; overtaking has a wish of its own.
    this.#lastAtMs = Math.max(this.#lastAtMs, delayedAtMs);
    return this.#lastAtMs;
  }
}
