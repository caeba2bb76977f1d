import type { AtMs, Clock } from '../base/clock.ts';
import type { Arrival, LegConnection, LegSocket, LostCause } from '../gateway/arrivals.ts';
import type { Leg } from '../leg/leg.ts';

/** Whoever measures lines. */
export interface LineObserver {
  /** A frame came in and one went out in the same turn. For every frame: it must not allocate. */
  turnedAround(leg: Leg, turnaroundMs: number): void;
  /** The first frame went out: the line is set up both ways. */
  setUp(leg: Leg, arrival: Arrival, setupMs: number): void;
}

/** One socket's hold on a leg. A leg that came back on a newer socket no longer listens to the older one. */
export class Line implements LegConnection {
  readonly #leg: Leg;
  readonly #arrival: Arrival;
  readonly #socket: LegSocket;
  readonly #clock: Clock;
  readonly #observer: LineObserver;

  constructor(leg: Leg, arrival: Arrival, clock: Clock, observer: LineObserver) {
    this.#leg = leg;
    this.#arrival = arrival;
    this.#socket = arrival.socket;
    this.#clock = clock;
    this.#observer = observer;
  }

  receive(message: Uint8Array, isBinary: boolean, nowMs: AtMs): void {
    if (!this.#leg.isOn(this.#socket)) return;
    const sentFrames = this.#leg.egress.stats.sentFrames;
    this.#leg.receive(message, isBinary, nowMs);
    // What came in went out again in the same turn: the time it was in the house.
    if (this.#leg.egress.stats.sentFrames === sentFrames) return;
    this.#observer.turnedAround(this.#leg, this.#clock.nowMs() - nowMs);
    if (sentFrames === 0) this.#observer.setUp(this.#leg, this.#arrival, nowMs - this.#arrival.receivedAtMs);
  }

  lost(cause: LostCause, nowMs: AtMs): void {
    if (this.#leg.isOn(this.#socket)) this.#leg.lost(cause, nowMs);
  }
}
