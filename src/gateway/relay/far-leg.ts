import type { AtMs, Clock } from '../../base/clock.ts';
import { FAULTS, messageOf, refuse, type Refusal } from '../../base/errors.ts';
import type { Dialect, Inbound, LegStarted } from '../../dialect/dialect.ts';
import type { Arrival, Arrivals, Caller, LegConnection, LostCause, Opening } from '../arrivals.ts';
import { Handshake } from '../handshake.ts';
import { WaitingMessages } from '../waiting-messages.ts';
import type { FarSocket } from './far-socket.ts';

/** How whoever comes over a relay is made a leg of its call. */
export interface FarWelcome {
  readonly caller: Caller;
  readonly arrive: Arrivals['arrive'];
}

export interface FarLegOptions {
  readonly opening: Opening;
  readonly socket: FarSocket;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly inbound: Inbound;
  readonly dialects: (name: string) => Dialect | undefined;
  readonly waiting: { waitingDropped: number };
  /** It is a leg of its call. */
  readonly onSeated: (arrival: Arrival) => void;
  reportFailure(error: unknown, where: string): void;
}

type FarState =
  | { readonly name: 'arriving'; readonly waiting: WaitingMessages }
  | { readonly name: 'active'; readonly leg: LegConnection }
  | { readonly name: 'ended' };

/** A leg of a call that is here, on a socket that is at another node: its protocol is spoken here. */
export class FarLeg {
  readonly #options: FarLegOptions;
  #state: FarState;

  constructor(options: FarLegOptions) {
    this.#options = options;
    this.#state = { name: 'arriving', waiting: new WaitingMessages(options.waiting) };
  }

  /** What it said at the other node is read again, unanswered: there it was answered. */
  arrive({ caller, arrive }: FarWelcome): void {
    const { opening, dialects, clock, socket, inbound } = this.#options;
    if (this.#state.name !== 'arriving') return;
    const { waiting } = this.#state;
    const nowMs = clock.nowMs();
    const dialect = dialects(opening.dialect);
    const handshake = new Handshake({ ...opening, dialect }, dialects, nowMs);
    const started = repeat(handshake, opening, inbound);
    const { spoken } = handshake;
    if (started === undefined || spoken === undefined) {
      return this.refuse(refuse('protocol_violation', 'the relay opens with no start'));
    }
    const arrival = { ...spoken, caller, started, socket, receivedAtMs: nowMs };
    const leg = arrive(arrival, nowMs);
    if ('type' in leg)
      return this.#refuseInWords(leg, spoken.session.writeAnswer({ ...leg, id: null, ok: false }));
    this.#state = { name: 'active', leg };
    this.#options.onSeated(arrival);
    waiting.hearAll((message, isBinary) => this.receive(message, isBinary));
  }

  receive(message: Buffer, isBinary: boolean): void {
    const state = this.#state;
    if (state.name === 'arriving') return state.waiting.keep(message, isBinary);
    if (state.name !== 'active') return;
    try {
      state.leg.receive(message, isBinary, this.#options.clock.nowMs());
    } catch (error) {
      this.#options.reportFailure(error, `relay: ${messageOf(error)}`);
      this.refuse(refuse('internal', 'see the log'));
    }
  }

  lost(cause: LostCause, nowMs: AtMs): void {
    const state = this.#state;
    this.#state = { name: 'ended' };
    this.#options.socket.shut();
    if (state.name !== 'active') return;
    try {
      state.leg.lost(cause, nowMs);
    } catch (error) {
      // One broken leg must not take the link, and every relay over it, with it.
      this.#options.reportFailure(error, 'relay: lost');
    }
  }

  refuse({ fault }: Refusal): void {
    this.#options.socket.close(FAULTS[fault].closeCode, fault);
  }

  #refuseInWords(refusal: Refusal, words: Parameters<FarSocket['send']>[0] | undefined): void {
    if (words !== undefined) this.#options.socket.send(words);
    this.refuse(refusal);
  }
}

function repeat(handshake: Handshake, { messages }: Opening, inbound: Inbound): LegStarted | undefined {
  for (const { bytes, isBinary } of messages) {
    const result = handshake.read(bytes, isBinary, inbound);
    if (result.type === 'started') return result;
    if (result.type === 'resume') return result.started;
  }
  return undefined;
}
