import type { AtMs, Clock } from '../base/clock.ts';
import type { LegConnection, LegSocket, LostCause } from '../gateway/arrivals.ts';
import type { TurnaroundSink } from '../leg/counters.ts';
import type { Leg } from '../leg/leg.ts';

/** One socket's hold on a leg. A leg that came back on a newer socket no longer listens to the older one. */
export class Line implements LegConnection {
  readonly #leg: Leg;
  readonly #socket: LegSocket;
  readonly #clock: Clock;
  readonly #turnaround: TurnaroundSink;

  constructor(leg: Leg, socket: LegSocket, clock: Clock, turnaround: TurnaroundSink) {
    this.#leg = leg;
    this.#socket = socket;
    this.#clock = clock;
    this.#turnaround = turnaround;
  }

  receive(message: Uint8Array, isBinary: boolean, nowMs: AtMs): void {
    if (!this.#leg.isOn(this.#socket)) return;
    const sentFrames = this.#leg.egress.stats.sentFrames;
    this.#leg.receive(message, isBinary, nowMs);
    // What came in went out again in the same turn: the time it was in the house.
    if (this.#leg.egress.stats.sentFrames > sentFrames) {
      this.#turnaround.observeMs(this.#clock.nowMs() - nowMs);
    }
  }

  lost(cause: LostCause, nowMs: AtMs): void {
    if (this.#leg.isOn(this.#socket)) this.#leg.lost(cause, nowMs);
  }
}
