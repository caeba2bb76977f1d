import type { ClientRequest as HttpRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { AtMs, Clock } from '../../base/clock.ts';
import { FAULTS, messageOf, VoiceError, type FaultCode, type Refusal } from '../../base/errors.ts';
import type { ClientSession } from '../../dialect/client.ts';
import type { Inbound, LegStarted, ReadResult } from '../../dialect/dialect.ts';
import type { LegConnection, LegSocket, LostCause } from '../arrivals.ts';
import type { Beating, Heartbeat } from '../heartbeat.ts';
import { countClose } from '../limits.ts';
import { PeerSocket } from '../socket/peer-socket.ts';
import { dialFailure, failureOf, type DialFailure } from './dial-failure.ts';
import type { DialLimits, DialStats } from './dial-limits.ts';

/** A backend that has said its start: whoever runs calls makes a leg of it. */
export interface DialledStart {
  readonly session: ClientSession;
  readonly started: LegStarted;
  readonly socket: LegSocket;
  /** When the dial was asked for. */
  readonly dialledAtMs: AtMs;
}

/** Who wants to know what came of a dial. Exactly one of the two is told, unless it was cancelled. */
export interface DialEvents {
  started(start: DialledStart, nowMs: AtMs): LegConnection | Refusal;
  failed(failure: DialFailure, nowMs: AtMs): void;
}

/** What all connections of a dialler share. */
export interface DialHouse {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly limits: DialLimits;
  readonly stats: DialStats;
  readonly heartbeat: Heartbeat;
  /** Where messages before the start are read into. */
  readonly inbound: Inbound;
  reportFailure(error: unknown, where: string): void;
}

/** Who is at the other end. */
export interface DialledPeer {
  readonly session: ClientSession;
  readonly keepAliveMs: number;
  /** It answered a ping after so many milliseconds. */
  readonly ponged?: (roundTripMs: number) => void;
}

type DialState =
  /** Its name is looked up, or its upgrade is awaited. */
  | { readonly name: 'connecting'; readonly deadlineAtMs: AtMs }
  | { readonly name: 'starting'; readonly deadlineAtMs: AtMs }
  | { readonly name: 'active'; readonly leg: LegConnection }
  /** Our last words are said; the backend may finish its own. */
  | {
      readonly name: 'parting';
      readonly leg: LegConnection;
      readonly closeCode: number;
      readonly reason: string;
      readonly deadlineAtMs: AtMs;
    }
  | { readonly name: 'closing'; readonly leg: LegConnection | undefined }
  | { readonly name: 'closed' };

const CLOSED: DialState = { name: 'closed' };
const CLOSE_NORMAL = 1000;

/** One connection of ours to a backend, from the look-up of its name to its end. */
export class DialledConnection implements Beating {
  readonly #house: DialHouse;
  readonly #peer: DialledPeer;
  readonly #events: DialEvents;
  readonly #dialledAtMs: AtMs;
  readonly #gone = Promise.withResolvers<void>();
  #webSocket: WebSocket | undefined;
  #socket: Duplex | undefined;
  /** Once it is open. */
  #line: PeerSocket | undefined;
  #isSettled = false;
  #state: DialState;

  constructor(peer: DialledPeer, events: DialEvents, house: DialHouse) {
    const nowMs = house.clock.nowMs();
    this.#house = house;
    this.#peer = peer;
    this.#events = events;
    this.#dialledAtMs = nowMs;
    this.#state = { name: 'connecting', deadlineAtMs: nowMs + house.limits.connectMsMax };
    house.heartbeat.add(this);
  }

  /** Resolved when nothing is left of it. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Its name is known: `open` makes the socket, unless the dial is over already. */
  connect(open: () => WebSocket): void {
    if (this.#state.name !== 'connecting') return;
    const webSocket = open();
    this.#webSocket = webSocket;
    webSocket.on('upgrade', (response: IncomingMessage) => (this.#socket = response.socket));
    webSocket.on('unexpected-response', (request: HttpRequest, response: IncomingMessage) => {
      this.fail(dialFailure('rejected', `HTTP ${response.statusCode ?? 0}`));
      request.destroy();
    });
    webSocket.on('open', () => this.#guarded('open', () => this.#opened(webSocket)));
    // Once it is open its line is told.
    webSocket.on('error', (error) => {
      if (this.#line === undefined) this.fail(failureOf(error));
    });
    webSocket.on('close', (closeCode) => {
      if (this.#line === undefined) this.#onClosed(closeCode);
    });
  }

  /** There will be no leg: whoever asked is told, once. */
  fail(failure: DialFailure): void {
    if (this.#state.name !== 'connecting' && this.#state.name !== 'starting') return;
    const closeCode = failure.result === 'protocol' ? FAULTS.protocol_violation.closeCode : CLOSE_NORMAL;
    this.#settle(failure.result);
    this.#letGo(closeCode, failure.result);
    this.#guarded('failed', () => this.#events.failed(failure, this.#house.clock.nowMs()));
  }

  /** Nobody waits for it any more. A leg that was made of it goes on. */
  cancel(): void {
    if (this.#state.name !== 'connecting' && this.#state.name !== 'starting') return;
    this.#settle('cancelled');
    this.#letGo(CLOSE_NORMAL, 'cancelled');
  }

  /** Ends the connection by a fault: its close code goes out, its name is the reason, the leg is told. */
  break(fault: FaultCode): void {
    const state = this.#state;
    switch (state.name) {
      case 'connecting':
      case 'starting':
        return this.fail(dialFailure(fault === 'draining' ? 'overloaded' : 'protocol', fault));
      case 'active':
        this.#close(FAULTS[fault].closeCode, fault, undefined);
        return this.#tellLost(state.leg, { type: 'broken', fault });
      case 'parting':
        return this.#close(FAULTS[fault].closeCode, fault, state.leg);
      case 'closing':
      case 'closed':
      default:
    }
  }

  sweep(nowMs: AtMs, isJudging: boolean): void {
    const state = this.#state;
    if (!isJudging) return;
    if (state.name === 'connecting') {
      if (nowMs >= state.deadlineAtMs) this.fail(dialFailure('connect_timeout', 'no upgrade in time'));
      return;
    }
    if (state.name === 'starting' && nowMs >= state.deadlineAtMs) {
      return this.fail(dialFailure('start_timeout', 'connected, and not ready in time'));
    }
    if (this.#line?.look(nowMs) !== true) return;
    if (state.name === 'active') this.#line.sayAlive(this.#peer.session, this.#peer.keepAliveMs, nowMs);
    if (state.name !== 'parting' || nowMs < state.deadlineAtMs) return;
    this.#close(state.closeCode, state.reason, state.leg);
  }

  #opened(webSocket: WebSocket): void {
    // Given up between the upgrade and this turn.
    if (this.#state.name !== 'connecting') return webSocket.terminate();
    const nowMs = this.#house.clock.nowMs();
    const { session } = this.#peer;
    this.#state = { name: 'starting', deadlineAtMs: nowMs + this.#house.limits.startMsMax };
    this.#line = new PeerSocket({ webSocket, socket: this.#socket! }, this.#house, {
      message: (message, isBinary, atMs) => this.#onMessage(message, isBinary, atMs),
      ponged: (roundTripMs) => this.#peer.ponged?.(roundTripMs),
      broken: (fault) => this.break(fault),
      refused: (fault) => this.#onRefused(fault),
      silent: () => this.#onSilent(),
      closing: (closeCode, reason, graceMs) => this.#closeForLeg(closeCode, reason, graceMs),
      closed: (closeCode) => this.#onClosed(closeCode),
    });
    // What was said in an hour of a call is more than a socket is to hold later on.
    for (const { bytes, isBinary } of session.hello()) webSocket.send(bytes, { binary: isBinary });
    if (session.startedAtOpen !== undefined) this.#start(session.startedAtOpen, nowMs);
  }

  #onMessage(message: Buffer, isBinary: boolean, nowMs: AtMs): void {
    const state = this.#state;
    this.#guarded('receive', () => {
      if (state.name === 'active') return state.leg.receive(message, isBinary, nowMs);
      const said = this.#peer.session.read(message, isBinary, this.#house.inbound);
      if (state.name === 'parting') this.#line!.hearOut(said);
      else this.#hear(said, nowMs);
    });
  }

  /** Something was said before the start. */
  #hear(said: ReadResult, nowMs: AtMs): void {
    switch (said.type) {
      case 'started':
        return this.#start(said, nowMs);
      case 'refusal':
        return this.fail(dialFailure('protocol', `${said.fault}: ${said.detail}`));
      case 'agent_error':
        if (said.isFatal) this.fail(dialFailure('backend_error', `${said.code}: ${said.detail}`));
        return;
      case 'hung_up':
        return this.fail(dialFailure('closed', 'it hung up before its start'));
      case 'reply':
        return this.#line!.wire.send(said.message);
      case 'several':
        for (const one of said.inputs) this.#hear(one, nowMs);
        return;
      default:
    }
  }

  #start(started: LegStarted, nowMs: AtMs): void {
    if (this.#state.name !== 'starting') return;
    const { session } = this.#peer;
    const start = { session, started, socket: this.#line!.wire, dialledAtMs: this.#dialledAtMs };
    const leg = this.#events.started(start, nowMs);
    if ('type' in leg) return this.fail(dialFailure('protocol', `${leg.fault}: ${leg.detail}`));
    this.#settle('started');
    // A leg may have ended its connection while it was made: it is told of the socket's end all the same.
    const state = this.#state as DialState;
    if (state.name === 'starting') this.#state = { name: 'active', leg };
    else if (state.name === 'closing') this.#state = { name: 'closing', leg };
  }

  #settle(result: keyof DialStats['dialsByResult']): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#house.stats.dialsByResult[result]++;
  }

  /** Ends what never became a leg, however far it came. */
  #letGo(closeCode: number, reason: string): void {
    const isOpen = this.#state.name === 'starting';
    this.#state = { name: 'closing', leg: undefined };
    if (this.#webSocket === undefined) return this.#forget();
    if (isOpen) this.#line?.close(closeCode, reason);
    else this.#webSocket.terminate();
  }

  #onSilent(): void {
    const state = this.#state;
    if (state.name === 'starting') return this.fail(dialFailure('start_timeout', 'it answers no pings'));
    this.#state = { name: 'closing', leg: undefined };
    this.#line!.terminate();
    if ('leg' in state && state.leg !== undefined) {
      this.#tellLost(state.leg, { type: 'closed', closeCode: 1006 });
    }
  }

  #closeForLeg(closeCode: number, reason: string, graceMs: number): void {
    const leg = 'leg' in this.#state ? this.#state.leg : undefined;
    if (graceMs <= 0 || leg === undefined) return this.#close(closeCode, reason, leg);
    const deadlineAtMs = this.#house.clock.nowMs() + graceMs;
    this.#state = { name: 'parting', leg, closeCode, reason, deadlineAtMs };
  }

  #close(closeCode: number, reason: string, leg: LegConnection | undefined): void {
    if (this.#state.name === 'closing' || this.#state.name === 'closed') return;
    this.#state = { name: 'closing', leg };
    countClose(this.#house.stats, closeCode, reason);
    this.#line!.close(closeCode, reason);
  }

  #onRefused(fault: FaultCode): void {
    const state = this.#state;
    if (state.name === 'starting') return this.fail(dialFailure('protocol', fault));
    this.#state = { name: 'closing', leg: undefined };
    countClose(this.#house.stats, FAULTS[fault].closeCode, fault);
    if ('leg' in state && state.leg !== undefined) this.#tellLost(state.leg, { type: 'broken', fault });
  }

  #onClosed(closeCode: number): void {
    const state = this.#state;
    if (state.name === 'starting' || state.name === 'connecting') {
      this.fail(dialFailure('closed', `closed with ${closeCode} before its start`));
    }
    this.#forget();
    const leg = 'leg' in state ? state.leg : undefined;
    if (leg !== undefined) this.#tellLost(leg, { type: 'closed', closeCode });
  }

  #forget(): void {
    this.#state = CLOSED;
    this.#house.heartbeat.remove(this);
    this.#gone.resolve();
  }

  #tellLost(leg: LegConnection, cause: LostCause): void {
    this.#guarded('lost', () => leg.lost(cause, this.#house.clock.nowMs()));
  }

  /** Our own mistake ends this one connection, never the process. */
  #guarded(where: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      if (error instanceof VoiceError) return this.break(error.code);
      this.#house.stats.invariantFailures++;
      this.#house.reportFailure(error, `${where}: ${messageOf(error)}`);
      if (this.#state.name === 'starting') return this.fail(dialFailure('internal', 'our own mistake'));
      this.break('internal');
    }
  }
}
