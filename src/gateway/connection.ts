import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { AtMs, Clock } from '../base/clock.ts';
import { FAULTS, messageOf, refuse, VoiceError, type FaultCode, type Refusal } from '../base/errors.ts';
import type {
  Dialect,
  DialectSession,
  Inbound,
  LegResume,
  LegStarted,
  ReadResult,
} from '../dialect/dialect.ts';
import type { Arrival, Arrivals, LegConnection, LostCause } from './arrivals.ts';
import type { Admitted } from './door/admission.ts';
import { Handshake, type Spoken } from './handshake.ts';
import type { Beating, Heartbeat } from './heartbeat.ts';
import { countClose, type GatewayLimits, type GatewayStats } from './limits.ts';
import { PeerSocket } from './socket/peer-socket.ts';
import type { TokenUses } from './token-ledger.ts';
import { WaitingMessages } from './waiting-messages.ts';

/** What all connections of a node share. */
export interface ConnectionHouse {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly limits: GatewayLimits;
  readonly stats: GatewayStats;
  readonly heartbeat: Heartbeat;
  readonly tokens: TokenUses;
  readonly dialects: (name: string) => Dialect | undefined;
  /** Where messages before the start are read into; nothing of it outlives the message. */
  readonly inbound: Inbound;
  readonly ponged: ((dialectName: string, roundTripMs: number) => void) | undefined;
  /** A broken promise of ours, for the log. Never with a secret or audio in it. */
  reportFailure(error: unknown, where: string): void;
}

type ConnectionState =
  | { readonly name: 'handshaking'; readonly deadlineAtMs: AtMs }
  /** The start was said, and the leg cannot be made yet; what comes meanwhile waits. */
  | { readonly name: 'arriving'; readonly deadlineAtMs: AtMs; readonly waiting: WaitingMessages }
  | { readonly name: 'active'; readonly leg: LegConnection }
  /** We have said our last words; the peer may still say its own before our close frame goes out. */
  | ({ readonly name: 'parting' } & Parting)
  /** Our close frame is out. A leg that asked for it still wants to know when the socket is gone. */
  | { readonly name: 'closing'; readonly leg: LegConnection | undefined }
  | { readonly name: 'closed' };

interface Parting {
  readonly leg: LegConnection | undefined;
  readonly closeCode: number;
  readonly reason: string;
  readonly deadlineAtMs: AtMs;
}

const CLOSED: ConnectionState = { name: 'closed' };
const NO_SUCH_LEG = refuse('call_not_found', 'this connection was not opened with that token');
const NOT_A_START = refuse('protocol_violation', 'the first thing said must be the start of the protocol');

/** One WebSocket, from its upgrade to its end. */
export class Connection implements Beating {
  readonly #house: ConnectionHouse;
  readonly #admitted: Admitted;
  readonly #peer: PeerSocket;
  /** The leg has started, or never will. May be told again. */
  readonly #onSettled: () => void;
  readonly #handshake: Handshake;
  #hasSpoken = false;
  #state: ConnectionState;

  constructor(
    sockets: { readonly webSocket: WebSocket; readonly socket: Duplex },
    admitted: Admitted,
    house: ConnectionHouse,
    onSettled: () => void,
  ) {
    const nowMs = house.clock.nowMs();
    const { limits } = house;
    this.#house = house;
    this.#admitted = admitted;
    this.#onSettled = onSettled;
    this.#peer = new PeerSocket(sockets, house, {
      message: (message, isBinary, atMs) => this.#onMessage(message, isBinary, atMs),
      ponged: (roundTripMs) => this.#ponged(roundTripMs),
      broken: (fault) => this.break(fault),
      refused: (fault) => this.#onRefused(fault),
      silent: () => this.#onSilent(),
      closing: (closeCode, reason, graceMs) => this.#closeForLeg(closeCode, reason, graceMs),
      closed: (closeCode) => this.#onClosed(closeCode),
    });
    this.#handshake = new Handshake(admitted, house.dialects, nowMs);
    this.#state = { name: 'handshaking', deadlineAtMs: nowMs + limits.firstMessageMsMax };
    house.heartbeat.add(this);
  }

  /** Ends the connection by a fault: its close code goes out, its name is the reason, the leg is told. */
  break(fault: FaultCode): void {
    const state = this.#state;
    if (state.name === 'closing' || state.name === 'closed') return;
    this.#close(FAULTS[fault].closeCode, fault, closingWith(partingLeg(state)));
    if (state.name === 'active') this.#tellLost(state.leg, { type: 'broken', fault });
  }

  /** As `break`, resolved when the socket is gone. */
  leave(fault: FaultCode): Promise<void> {
    this.break(fault);
    return this.#peer.gone;
  }

  sweep(nowMs: AtMs, isJudging: boolean): void {
    if (!isJudging || !this.#peer.look(nowMs)) return;
    const state = this.#state;
    if (state.name === 'closing' || state.name === 'closed') return;
    if (state.name === 'active') return this.#sayAlive(nowMs);
    if (nowMs < state.deadlineAtMs) return;
    if (state.name === 'parting') return this.#close(state.closeCode, state.reason, closingWith(state.leg));
    this.#house.stats.handshakeTimeouts++;
    this.break('handshake_timeout');
  }

  #sayAlive(nowMs: AtMs): void {
    const { dialect, session } = this.#handshake.spoken!;
    this.#peer.sayAlive(session, dialect.capabilities.keepAliveMs, nowMs);
  }

  #onMessage(message: Buffer, isBinary: boolean, nowMs: AtMs): void {
    const state = this.#state;
    try {
      if (state.name === 'active') state.leg.receive(message, isBinary, nowMs);
      else if (state.name === 'parting') this.#hearOut(state, message, isBinary);
      else if (state.name === 'arriving') state.waiting.keep(message, isBinary);
      else if (state.name === 'handshaking') this.#shakeHands(message, isBinary, nowMs);
    } catch (error) {
      this.#failed(error, 'receive');
    }
  }

  #shakeHands(message: Buffer, isBinary: boolean, nowMs: AtMs): void {
    if (message.length > this.#house.limits.firstMessageBytesMax) return this.#refuse('frame_too_large');
    this.#extendDeadline(nowMs);
    const result: ReadResult = this.#handshake.read(message, isBinary, this.#house.inbound);
    if (result.type === 'ignored') return;
    const { spoken } = this.#handshake;
    if (spoken === undefined) return this.#refuse(result.type === 'refusal' ? result.fault : 'internal');
    if (result.type === 'started') return this.#start(spoken, result, nowMs);
    if (result.type === 'resume') return this.#resume(spoken, result, nowMs);
    const { session } = spoken;
    // A probe is answered and ends without ever having been a call.
    if (this.#sendReplies(result)) return this.#hearEnd(session, result);
    this.#refuseInWords(session, result.type === 'refusal' ? result : NOT_A_START);
  }

  #hearEnd({ endGraceMs }: DialectSession, result: ReadResult): void {
    const isEnd = result.type === 'several' ? result.inputs.some(isHangUp) : isHangUp(result);
    if (isEnd) this.#peer.wire.close(1000, 'normal', endGraceMs);
  }

  /** Sends what the protocol answers by itself; false where something else was said, too. */
  #sendReplies(result: ReadResult): boolean {
    if (result.type === 'several') return result.inputs.every((input) => this.#sendReplies(input));
    if (result.type === 'reply') this.#peer.wire.send(result.message);
    return result.type === 'reply' || result.type === 'hung_up' || result.type === 'flow';
  }

  #hearOut({ leg }: Pick<Parting, 'leg'>, message: Buffer, isBinary: boolean): void {
    if (leg?.receiveLate?.(message, isBinary) === true) return;
    const { session } = this.#handshake.spoken!;
    this.#peer.hearOut(session.read(message, isBinary, this.#house.inbound));
  }

  /** The first message is in time; the protocol's start has as long again, whatever comes between. */
  #extendDeadline(nowMs: AtMs): void {
    if (this.#hasSpoken) return;
    this.#hasSpoken = true;
    this.#state = { name: 'handshaking', deadlineAtMs: nowMs + this.#house.limits.firstMessageMsMax };
  }

  /** The token in the first word must be the one that opened the door: only that one has been looked up. */
  #resume(spoken: Spoken, resume: LegResume, nowMs: AtMs): void {
    if (resume.token === this.#admitted.resumeToken) return this.#start(spoken, resume.started, nowMs);
    this.#refuseInWords(spoken.session, NO_SUCH_LEG);
  }

  #start({ dialect, session }: Spoken, started: LegStarted, nowMs: AtMs): void {
    const refusal = this.#takeToken();
    if (refusal !== undefined) return this.#refuseInWords(session, refusal);
    const { caller, prepare } = this.#admitted;
    const opening = this.#handshake.takeOpening();
    const arrival = {
      caller,
      dialect,
      session,
      started,
      socket: this.#peer.wire,
      receivedAtMs: nowMs,
      opening,
    };
    const preparing = prepare?.(arrival);
    if (preparing === undefined) return this.#arrive(arrival, nowMs);
    const { limits, stats } = this.#house;
    const deadlineAtMs = nowMs + limits.firstMessageMsMax;
    this.#state = { name: 'arriving', deadlineAtMs, waiting: new WaitingMessages(stats) };
    preparing.then(() => this.#arriveLate(arrival)).catch((error: unknown) => this.#failed(error, 'arrive'));
  }

  /** The leg can be made now; what waited is heard first. */
  #arriveLate(arrival: Arrival): void {
    const state = this.#state;
    if (state.name !== 'arriving') return this.#giveTokenBack();
    this.#arrive(arrival, this.#house.clock.nowMs());
    state.waiting.hearAll((message, isBinary) => {
      if (this.#state.name === 'active')
        this.#state.leg.receive(message, isBinary, this.#house.clock.nowMs());
    });
  }

  #arrive(arrival: Arrival, nowMs: AtMs): void {
    const { session } = arrival;
    let leg: LegConnection | Refusal;
    try {
      leg = this.#admitted.arrive(arrival, nowMs);
    } catch (error) {
      this.#giveTokenBack();
      throw error;
    }
    if (isRefusal(leg)) {
      this.#giveTokenBack();
      return this.#refuseInWords(session, leg);
    }
    this.#house.stats.legsStarted++;
    // A leg may have ended its connection while it was made; it is told of the socket's end all the same.
    const { name } = this.#state;
    if (name === 'handshaking' || name === 'arriving') this.#state = { name: 'active', leg };
    else if (this.#state.name === 'closing' || this.#state.name === 'parting') {
      this.#state = { ...this.#state, leg };
    }
    this.#onSettled();
  }

  #takeToken(): Refusal | undefined {
    const { tokenId } = this.#admitted;
    if (tokenId === null) return undefined;
    const outcome = this.#house.tokens.take(tokenId);
    if (outcome === 'used') return refuse('unauthenticated', 'the session token has been used');
    return outcome === 'taken' ? undefined : refuse('unavailable', 'the token cannot be recorded now');
  }

  #giveTokenBack(): void {
    const { tokenId } = this.#admitted;
    if (tokenId !== null) this.#house.tokens.giveBack(tokenId);
  }

  /** Says why in the protocol's own words where it has any; most providers only see the close frame. */
  #refuseInWords(session: DialectSession, refusal: Refusal): void {
    const { fault, detail } = refusal;
    const words = session.writeAnswer({ id: null, ok: false, fault, detail });
    if (words !== undefined) this.#peer.wire.send(words);
    this.#refuse(fault);
  }

  #refuse(fault: FaultCode): void {
    if (FAULTS[fault].closeCode === 1009) this.#house.stats.oversizedMessages++;
    this.break(fault);
  }

  #ponged(roundTripMs: number): void {
    const dialect = this.#handshake.spoken?.dialect ?? this.#admitted.dialect;
    if (dialect !== undefined) this.#house.ponged?.(dialect.name, roundTripMs);
  }

  #onSilent(): void {
    const state = this.#state;
    this.#state = closingWith(partingLeg(state));
    this.#peer.terminate();
    if (state.name === 'active') this.#tellLost(state.leg, { type: 'closed', closeCode: 1006 });
  }

  #closeForLeg(closeCode: number, reason: string, graceMs: number): void {
    const leg = this.#state.name === 'active' ? this.#state.leg : undefined;
    if (graceMs <= 0) return this.#close(closeCode, reason, closingWith(leg));
    const deadlineAtMs = this.#house.clock.nowMs() + graceMs;
    this.#state = { name: 'parting', leg, closeCode, reason, deadlineAtMs };
  }

  #close(closeCode: number, reason: string, next: ConnectionState): void {
    if (this.#state.name === 'closing' || this.#state.name === 'closed') return;
    this.#state = next;
    countClose(this.#house.stats, closeCode, reason);
    this.#peer.close(closeCode, reason);
  }

  #onRefused(fault: FaultCode): void {
    const state = this.#state;
    this.#state = closingWith(partingLeg(state));
    countClose(this.#house.stats, FAULTS[fault].closeCode, fault);
    if (state.name === 'active') this.#tellLost(state.leg, { type: 'broken', fault });
  }

  #onClosed(closeCode: number): void {
    const state = this.#state;
    this.#state = CLOSED;
    this.#house.heartbeat.remove(this);
    this.#onSettled();
    const leg = 'leg' in state ? state.leg : undefined;
    if (leg !== undefined) this.#tellLost(leg, { type: 'closed', closeCode });
  }

  #tellLost(leg: LegConnection, cause: LostCause): void {
    try {
      leg.lost(cause, this.#house.clock.nowMs());
    } catch (error) {
      this.#house.stats.invariantFailures++;
      this.#house.reportFailure(error, 'lost');
    }
  }

  /** Our own mistake ends this one connection, never the process. */
  #failed(error: unknown, where: string): void {
    if (error instanceof VoiceError) return this.break(error.code);
    this.#house.stats.invariantFailures++;
    this.#house.reportFailure(error, `${where}: ${messageOf(error)}`);
    this.break('internal');
  }
}

function closingWith(leg: LegConnection | undefined): ConnectionState {
  return { name: 'closing', leg };
}

/** A leg that asked for the end wants to know when the socket is gone, however it goes. */
function partingLeg(state: ConnectionState): LegConnection | undefined {
  return state.name === 'parting' ? state.leg : undefined;
}

function isHangUp({ type }: ReadResult): boolean {
  return type === 'hung_up';
}

function isRefusal(answer: ReturnType<Arrivals['arrive']>): answer is Refusal {
  return 'type' in answer && answer.type === 'refusal';
}
