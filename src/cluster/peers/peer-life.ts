import type { AtMs } from '../../base/clock.ts';

/** How often a link is asked whether it is there. */
export const PING_MS = 100;
/** Links stay within a region: about fifty times the delay of a busy node's event loop. */
export const SUSPECT_MS = 500;
/** A peer that is silent for so long is not waited for. */
const GONE_MS = 5_000;

/** Judges a peer by how long it has been silent. Our own pauses are not held against it. */
export class PeerLife {
  #heardAtMs: AtMs;
  #judgedAtMs: AtMs;

  constructor(nowMs: AtMs) {
    this.#heardAtMs = nowMs;
    this.#judgedAtMs = nowMs;
  }

  heard(nowMs: AtMs): void {
    this.#heardAtMs = nowMs;
  }

  /** To be asked every `PING_MS`. */
  judge(nowMs: AtMs): 'open' | 'suspect' | 'gone' {
    const pausedMs = nowMs - this.#judgedAtMs - PING_MS;
    this.#judgedAtMs = nowMs;
    // We stood still: what the peer said meanwhile may wait unread.
    if (pausedMs > PING_MS) this.#heardAtMs = Math.min(nowMs, this.#heardAtMs + pausedMs);
    const silentMs = nowMs - this.#heardAtMs;
    if (silentMs >= GONE_MS) return 'gone';
    return silentMs >= SUSPECT_MS ? 'suspect' : 'open';
  }
}
