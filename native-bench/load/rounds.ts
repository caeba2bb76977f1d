import { systemClock } from '../../src/base/clock.ts';
import { FRAME_MS } from './speech.ts';

/** Frames sent before the loop looks at what came: more would be measured as its delay. */
const FRAMES_PER_TURN = 4;

export interface RoundsOptions {
  readonly count: number;
  /** All in one instant, instead of evenly over the 20 ms. */
  readonly inStep: boolean;
  /** Whose turn it is sends a frame; false where it has none to send. */
  readonly turn: (index: number) => boolean;
  /** How late a frame was sent. */
  readonly wasLate: (lateMs: number) => void;
}

/** Turns of many on one absolute schedule: each has its own instant within the 20 ms, and never drifts. */
export class Rounds {
  readonly #options: RoundsOptions;
  readonly #startedAtMs: number;
  #slot = 0;
  #isOver = false;

  constructor(options: RoundsOptions, delayMs = 0) {
    this.#options = options;
    this.#startedAtMs = systemClock.nowMs() + delayMs;
    this.#turn();
  }

  stop(): void {
    this.#isOver = true;
  }

  readonly #turn = (): void => {
    if (this.#isOver) return;
    const { count, turn, wasLate } = this.#options;
    let left = FRAMES_PER_TURN;
    for (; left > 0; this.#slot++) {
      const lateMs = systemClock.nowMs() - this.#dueAtMs(this.#slot);
      if (lateMs < 0) {
        setTimeout(this.#turn, -lateMs);
        return;
      }
      if (!turn(this.#slot % count)) continue;
      wasLate(lateMs);
      left--;
    }
    setImmediate(this.#turn);
  };

  /** A slot is one turn; all turns of a round share the 20 ms, or one instant. */
  #dueAtMs(slot: number): number {
    const rounds = slot / this.#options.count;
    return this.#startedAtMs + (this.#options.inStep ? Math.floor(rounds) : rounds) * FRAME_MS;
  }
}
