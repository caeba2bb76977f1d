import type { AtMs } from '../../base/clock.ts';

/** What signals have asked for so far. */
export type Asked = 'drain' | 'stop' | 'kill';

// Ctrl-C reaches us from the terminal and again from npm, which passes on what it got itself.
const SAME_SIGNAL_MS = 300;

/** The first signal drains, the second stops, the third kills; an echo of the last one counts for nothing. */
export class SignalCount {
  #asked: Asked | undefined;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  /** What the signal asks for; undefined for an echo. */
  next(nowMs: AtMs): Asked | undefined {
    if (nowMs - this.#lastAtMs < SAME_SIGNAL_MS) return undefined;
    this.#lastAtMs = nowMs;
    if (this.#asked === undefined) this.#asked = 'drain';
    else this.#asked = this.#asked === 'drain' ? 'stop' : 'kill';
    return this.#asked;
  }
}
