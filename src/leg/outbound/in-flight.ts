import type { AtMs } from '../../base/clock.ts';
import { FRAME_MS } from '../../base/units.ts';
import { CATCH_UP_FRAMES } from '../../media/metronome.ts';

/**
 * What a provider was sent ahead of its time, by our own clock. Turns that had to be let pass because it held
 * enough are made up for as soon as it has room, so that a tick that comes early costs no gap.
 */
export class InFlight {
  readonly #msMax: number;
  #playedUntilAtMs: AtMs = -Infinity;
  #owedTurns = 0;

  constructor(msMax: number) {
    this.#msMax = msMax;
  }

  /** When all that has left is played, at the earliest: nobody plays faster than time goes. */
  get playedUntilAtMs(): AtMs {
    return this.#playedUntilAtMs;
  }

  /** How many frames of a queue to try in this turn. */
  takeTurns(): number {
    this.#owedTurns = Math.min(this.#owedTurns + 1, CATCH_UP_FRAMES);
    return this.#owedTurns;
  }

  /** Whether one more frame may go on top of those that only wait for their message to be whole. */
  hasRoom(collectedFrames: number, nowMs: AtMs): boolean {
    const heldMs = Math.max(0, this.#playedUntilAtMs - nowMs);
    return heldMs + (collectedFrames + 1) * FRAME_MS <= this.#msMax;
  }

  /** A turn was used. */
  used(): void {
    this.#owedTurns--;
  }

  /** A message of so many frames has left. */
  left(frames: number, nowMs: AtMs): void {
    if (frames > 0) this.#playedUntilAtMs = Math.max(this.#playedUntilAtMs, nowMs) + frames * FRAME_MS;
  }

  /** Nothing waits to be sent: no turn is owed. */
  rest(): void {
    this.#owedTurns = 0;
  }

  /** The provider dropped what it held. */
  clear(): void {
    this.#playedUntilAtMs = -Infinity;
  }
}
