import type { AtMs } from '../../base/clock.ts';
import { FRAME_MS } from '../../base/units.ts';

// The golden ratio's steps around a circle never crowd, however many there are.
const GOLDEN_RATIO = 0.618_033_988_749_895;
/** A caller that stood still longer than this does not shout it all at once. */
const CATCH_UP_MS = 1_000;

/** Where in the 20 ms the frames of the `index`-th call fall, so that those of many calls are spread. */
export function phaseMsOf(index: number): number {
  return ((index * GOLDEN_RATIO) % 1) * FRAME_MS;
}

/** The first instant from `nowMs` on that is `phaseMs` into a 20 ms slot of the clock. */
export function slotAtMs(nowMs: AtMs, phaseMs: number): AtMs {
  return phaseMs + Math.ceil((nowMs - phaseMs) / FRAME_MS) * FRAME_MS;
}

/** When the frames of a call are due: an absolute plan, so that late timers never add up. */
export class Schedule {
  readonly stats = { forgivenMs: 0 };
  readonly #periodMs: number;
  #originAtMs: AtMs;
  #index = 0;

  /** `driftPpm` is how much faster the sender's sound card runs than the clock. */
  constructor(startAtMs: AtMs, driftPpm = 0) {
    this.#originAtMs = startAtMs;
    this.#periodMs = FRAME_MS / (1 + driftPpm / 1e6);
  }

  /** Place in the call of the next frame. */
  get index(): number {
    return this.#index;
  }

  get nextAtMs(): AtMs {
    return this.#originAtMs + this.#index * this.#periodMs;
  }

  /** The next frame has been dealt with. */
  advance(): void {
    this.#index++;
  }

  /** What is more than a second late is forgiven: the rest of the plan moves. */
  forgive(nowMs: AtMs): void {
    const behindMs = nowMs - this.nextAtMs - CATCH_UP_MS;
    if (behindMs <= 0) return;
    this.#originAtMs += behindMs;
    this.stats.forgivenMs += behindMs;
  }
}
