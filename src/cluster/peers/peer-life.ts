import type { AtMs } from '../../base/clock.ts';

/** How long the silences of a link may be. */
export interface PeerTiming {
  readonly pingMs: number;
  readonly suspectMs: number;
  /** A peer that is silent for so long is not waited for. */
  readonly goneMs: number;
}

/** Within a region: about fifty times the delay of a busy node's event loop. */
export const NEAR_TIMING: PeerTiming = { pingMs: 100, suspectMs: 500, goneMs: 5_000 };
/** Another region: a round trip and a lost packet more. */
export const FAR_TIMING: PeerTiming = { pingMs: 250, suspectMs: 1_000, goneMs: 10_000 };

/** Judges a peer by how long it has been silent. Our own pauses are not held against it. */
export class PeerLife {
  readonly #timing: PeerTiming;
  #heardAtMs: AtMs;
  #judgedAtMs: AtMs;

  constructor(timing: PeerTiming, nowMs: AtMs) {
    this.#timing = timing;
    this.#heardAtMs = nowMs;
    this.#judgedAtMs = nowMs;
  }

  heard(nowMs: AtMs): void {
    this.#heardAtMs = nowMs;
  }

  /** To be asked every `pingMs`. */
  judge(nowMs: AtMs): 'open' | 'suspect' | 'gone' {
    const { pingMs, suspectMs, goneMs } = this.#timing;
    const pausedMs = nowMs - this.#judgedAtMs - pingMs;
    this.#judgedAtMs = nowMs;
    // We stood still: what the peer said meanwhile may wait unread.
    if (pausedMs > pingMs) this.#heardAtMs = Math.min(nowMs, this.#heardAtMs + pausedMs);
    const silentMs = nowMs - this.#heardAtMs;
    if (silentMs >= goneMs) return 'gone';
    return silentMs >= suspectMs ? 'suspect' : 'open';
  }
}
