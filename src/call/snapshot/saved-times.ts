import type { AtMs, Clock } from '../../base/clock.ts';
import type { CallSnapshot } from './call-snapshot.ts';

/**
 * Reads a snapshot's instants on this host's clock. Wall clocks meet once, between the saving and now; all
 * else is durations, so that a clock that steps later changes nothing.
 */
export class SavedTimes {
  readonly nowMs: AtMs;
  readonly #savedAtUnixMs: number;
  readonly #savedAtMs: AtMs;
  readonly #nowUnixMs: number;

  constructor({ savedAtUnixMs }: CallSnapshot, clock: Pick<Clock, 'unixMs'>, nowMs: AtMs) {
    this.#savedAtUnixMs = savedAtUnixMs;
    this.nowMs = nowMs;
    this.#nowUnixMs = clock.unixMs();
    // A clock that is behind the former owner's must not put the past into the future.
    this.#savedAtMs = nowMs - Math.max(0, this.#nowUnixMs - savedAtUnixMs);
  }

  /** What was `agoMs` old when it was saved. */
  since(agoMs: number): AtMs {
    return this.#savedAtMs - agoMs;
  }

  /** An instant of this host's own wall clock. */
  ownAt(unixMs: number): AtMs {
    return this.nowMs - Math.max(0, this.#nowUnixMs - unixMs);
  }

  /** An instant of the former owner's wall clock. */
  savedAt(unixMs: number): AtMs {
    return this.since(Math.max(0, this.#savedAtUnixMs - unixMs));
  }
}
