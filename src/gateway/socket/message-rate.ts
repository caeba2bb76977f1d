import type { AtMs } from '../../base/clock.ts';

/** A token bucket: so many messages a second, and a burst for the backlog of a network that stood still. */
export class MessageRate {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #filledAtMs: AtMs;

  constructor(perSecond: number, burst: number, nowMs: AtMs) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAtMs = nowMs;
  }

  /** False when this message is one too many. */
  take(nowMs: AtMs): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#filledAtMs) * this.#perMs);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
