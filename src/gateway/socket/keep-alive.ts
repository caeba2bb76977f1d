import type { AtMs } from '../../base/clock.ts';
import { SWEEP_MS } from '../heartbeat.ts';

/** Some peers hang up where nothing is said to them for a while. Asked at every sweep. */
export class KeepAlive {
  #hasSentSinceSweep = false;
  #sentAtMs: AtMs;

  constructor(nowMs: AtMs) {
    this.#sentAtMs = nowMs;
  }

  /** Something was given to the socket. */
  sent(): void {
    this.#hasSentSinceSweep = true;
  }

  /** Whether something must be said now; never when `everyMs` is 0. Two sweeps early is never late. */
  isDue(everyMs: number, nowMs: AtMs): boolean {
    if (this.#hasSentSinceSweep) this.#sentAtMs = nowMs;
    this.#hasSentSinceSweep = false;
    if (everyMs === 0 || nowMs - this.#sentAtMs < everyMs - 2 * SWEEP_MS) return false;
    this.#sentAtMs = nowMs;
    return true;
  }
}
