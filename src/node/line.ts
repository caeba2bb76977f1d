import type { AtMs, Clock } from '../base/clock.ts';
import type { Arrival, LegConnection, LegSocket, LostCause } from '../gateway/arrivals.ts';
import { WaitingMessages } from '../gateway/waiting-messages.ts';
import type { Leg } from '../leg/leg.ts';
import type { Tails } from './drain/tails.ts';

/** Whoever measures lines. */
export interface LineObserver {
  /** A frame came in and one went out in the same turn. For every frame: it must not allocate. */
  turnedAround(leg: Leg, turnaroundMs: number): void;
  /** The first frame went out: the line is set up both ways. */
  setUp(leg: Leg, arrival: Arrival, setupMs: number): void;
}

/** What the lines of a node have in common. */
export interface LineHouse {
  readonly clock: Clock;
  readonly observer: LineObserver;
  /** Where calls are given away while their legs speak; absent where none are. */
  readonly tails?: Tails | undefined;
}

/** One socket's hold on a leg. A leg that came back on a newer socket no longer listens to the older one. */
export class Line implements LegConnection {
  readonly #leg: Leg;
  readonly #arrival: Arrival;
  readonly #socket: LegSocket;
  readonly #house: LineHouse;
  /** What is said here before all was heard that was said on the old socket. */
  #held: WaitingMessages | undefined;

  constructor(leg: Leg, arrival: Arrival, house: LineHouse) {
    this.#leg = leg;
    this.#arrival = arrival;
    this.#socket = arrival.socket;
    this.#house = house;
    this.#followTail();
  }

  receive(message: Uint8Array, isBinary: boolean, nowMs: AtMs): void {
    if (this.#hasLeft) return void this.receiveLate(message, isBinary);
    if (this.#held !== undefined) return this.#held.keep(Buffer.from(message), isBinary);
    const sentFrames = this.#leg.egress.stats.sentFrames;
    this.#leg.receive(message, isBinary, nowMs);
    // What came in went out again in the same turn: the time it was in the house.
    if (this.#leg.egress.stats.sentFrames === sentFrames) return;
    const { observer, clock } = this.#house;
    observer.turnedAround(this.#leg, clock.nowMs() - nowMs);
    if (sentFrames === 0) observer.setUp(this.#leg, this.#arrival, nowMs - this.#arrival.receivedAtMs);
  }

  /** The leg goes on elsewhere, and its client has not found the way yet: what it says goes after the leg. */
  receiveLate(message: Uint8Array, isBinary: boolean): boolean {
    return this.#house.tails?.carry(this.#leg.id, message, isBinary) === true;
  }

  lost(cause: LostCause, nowMs: AtMs): void {
    if (this.#hasLeft) this.#house.tails?.end(this.#leg.id);
    if (this.#leg.isOn(this.#socket)) this.#leg.lost(cause, nowMs);
  }

  /** The call was given away, or the leg is on a newer socket. */
  get #hasLeft(): boolean {
    return this.#leg.state.name === 'ended' || !this.#leg.isOn(this.#socket);
  }

  /** Nothing of the new socket is heard before the end of the old one, which speaks its own numbers. */
  #followTail(): void {
    const { tails, clock } = this.#house;
    const tail = tails?.of(this.#leg.id);
    if (tails === undefined || tail === undefined) return;
    const held = new WaitingMessages(tails.counts);
    this.#held = held;
    tail.hear(
      (message, isBinary) => this.#leg.receive(message, isBinary, clock.nowMs()),
      () => {
        this.#held = undefined;
        this.#leg.ingress.restart();
        held.hearAll((message, isBinary) => this.receive(message, isBinary, clock.nowMs()));
      },
    );
  }
}
