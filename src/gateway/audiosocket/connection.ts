import type { Socket } from 'node:net';
import type { Cancel, Clock } from '../../base/clock.ts';
import {
  HEADER_BYTES,
  isAudioKind,
  KIND_HANGUP,
  KIND_UUID,
  rateOfKind,
} from '../../dialect/audiosocket/framing.ts';
import { uuidOf } from '../../dialect/audiosocket/read.ts';
import type { Dialect, DialectSession, Inbound } from '../../dialect/dialect.ts';
import type { Arrivals, Caller, LegConnection } from '../arrivals.ts';
import type { SessionGate } from '../door/session-gate.ts';
import type { GatewayLimits } from '../limits.ts';
import { MessageRate } from '../socket/message-rate.ts';
import { TcpLine, type TcpLineStats } from './line.ts';
import { MessageCutter } from './message-cutter.ts';

/** What happened at this door, in plain numbers. */
export interface AudioSocketStats extends TcpLineStats {
  accepted: number;
  legsStarted: number;
  /** No session was made for the UUID, or it has expired or been used. */
  refusedUuids: number;
  refusedLegs: number;
  protocolViolations: number;
  rateLimited: number;
  timeouts: number;
  /** Connections beyond the limit. */
  refusedFull: number;
  failures: number;
}

/** What all connections share. */
export interface AudioSocketHouse {
  readonly clock: Clock;
  readonly dialect: Dialect;
  readonly arrivals: Arrivals;
  readonly sessions: SessionGate;
  readonly tickets: { tokenOf(uuid: string): Promise<string | undefined> };
  readonly limits: GatewayLimits;
  readonly stats: AudioSocketStats;
  readonly inbound: Inbound;
  reportFailure(error: unknown, where: string): void;
}

interface Admitted {
  readonly caller: Caller;
  readonly tokenId: string;
}

type State =
  | { readonly name: 'opening' }
  | { readonly name: 'asking' }
  /** Whose call it is, is known; the first audio tells the rate. */
  | { readonly name: 'admitted'; readonly admitted: Admitted; readonly uuidMessage: Uint8Array }
  | { readonly name: 'active'; readonly leg: LegConnection }
  | { readonly name: 'closed' };

/** One TCP connection of Asterisk's, from its UUID to its end. */
export class AudioSocketConnection {
  readonly #socket: Socket;
  readonly #house: AudioSocketHouse;
  readonly #cutter = new MessageCutter();
  readonly #rate: MessageRate;
  readonly #line: TcpLine;
  #state: State = { name: 'opening' };
  #cancelDeadline: Cancel;
  #hasEnded = false;

  constructor(socket: Socket, house: AudioSocketHouse) {
    const { limits, clock } = house;
    this.#socket = socket;
    this.#house = house;
    this.#rate = new MessageRate(limits.messagesPerSecondMax, limits.messageBurstMax, clock.nowMs());
    this.#line = new TcpLine(
      socket,
      limits.unsentBytesMax,
      () => this.#breakAfter(limits.closeGraceMs),
      house.stats,
    );
    this.#cancelDeadline = this.#breakAfter(limits.firstMessageMsMax);
    socket.setNoDelay(true);
    // Asterisk sends audio all the time: silence on the wire is a peer that is gone.
    socket.setTimeout(limits.silentMsMax, () => {
      if (!this.#line.isPaused) this.#timeOut();
    });
    socket.on('data', (bytes) => this.#onBytes(bytes));
    socket.on('end', () => (this.#hasEnded = true));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#onClosed());
  }

  /** Ends it without a word. */
  break(): void {
    this.#socket.destroy();
  }

  #onBytes(bytes: Buffer): void {
    for (let at = 0; at < bytes.length && this.#state.name !== 'closed';) {
      const pieceBytes = Math.min(bytes.length - at, this.#cutter.roomBytes);
      // Room runs out only while a UUID is asked about and the socket, paused, hands on what it had read.
      if (pieceBytes === 0) return this.#violated();
      this.#cutter.push(bytes.subarray(at, at + pieceBytes));
      at += pieceBytes;
      this.#cut();
    }
  }

  #cut(): void {
    if (this.#state.name === 'asking') return;
    if (!this.#cutter.cut((message) => this.#onMessage(message))) this.#violated();
  }

  /** False where the next message has to wait. */
  #onMessage(message: Uint8Array): boolean {
    const nowMs = this.#house.clock.nowMs();
    if (!this.#rate.take(nowMs)) {
      this.#house.stats.rateLimited++;
      this.#socket.destroy();
      return false;
    }
    const state = this.#state;
    if (state.name === 'active') this.#guarded(() => state.leg.receive(message, true, nowMs));
    else if (state.name === 'opening') this.#open(Uint8Array.from(message));
    else if (state.name === 'admitted') this.#hearFirst(message, state.admitted, state.uuidMessage);
    return this.#state.name !== 'asking' && this.#state.name !== 'closed';
  }

  #open(message: Uint8Array): void {
    if (message[0] !== KIND_UUID || message.length !== HEADER_BYTES + 16) return this.#violated();
    this.#state = { name: 'asking' };
    this.#socket.pause();
    this.#ask(message).catch((error: unknown) => this.#failed(error, 'ask'));
  }

  async #ask(uuidMessage: Uint8Array): Promise<void> {
    const { tickets, sessions, stats } = this.#house;
    const token = await tickets.tokenOf(uuidOf(uuidMessage.subarray(HEADER_BYTES)));
    const claims = token === undefined ? undefined : await sessions.verify(token);
    if (this.#state.name !== 'asking') return;
    if (claims === undefined || sessions.isUsed(claims.tokenId)) {
      stats.refusedUuids++;
      this.#socket.destroy();
      return;
    }
    const { tokenId, region: _region, ...caller } = claims;
    this.#state = { name: 'admitted', admitted: { caller, tokenId }, uuidMessage };
    this.#socket.resume();
    this.#cut();
  }

  #hearFirst(message: Uint8Array, admitted: Admitted, uuidMessage: Uint8Array): void {
    const kind = message[0]!;
    if (kind === KIND_HANGUP) this.#socket.destroy();
    // Digits before the first sound are nobody's yet.
    if (!isAudioKind(kind)) return;
    const sampleRateHz = rateOfKind(kind);
    if (sampleRateHz === undefined) return this.#violated();
    this.#guarded(() => this.#start(admitted, uuidMessage, sampleRateHz, message));
  }

  #start({ caller, tokenId }: Admitted, uuidMessage: Uint8Array, rateHz: number, first: Uint8Array): void {
    const { dialect, arrivals, sessions, stats, clock } = this.#house;
    const nowMs = clock.nowMs();
    if (sessions.take(tokenId) !== 'taken') {
      stats.refusedUuids++;
      return void this.#socket.destroy();
    }
    const session = this.#openSession(rateHz);
    const started = session.read(uuidMessage, true, this.#house.inbound);
    const line = this.#line;
    const arrival = { caller, dialect, session, socket: line, receivedAtMs: nowMs };
    const leg = started.type === 'started' ? arrivals.arrive({ ...arrival, started }, nowMs) : undefined;
    if (leg === undefined || 'type' in leg) {
      sessions.giveBack(tokenId);
      stats.refusedLegs++;
      return void this.#socket.destroy();
    }
    stats.legsStarted++;
    this.#cancelDeadline();
    this.#state = { name: 'active', leg };
    leg.receive(first, true, nowMs);
  }

  #openSession(sampleRateHz: number): DialectSession {
    return this.#house.dialect.openSession({
      nowMs: this.#house.clock.nowMs(),
      upgrade: { method: '', headers: {}, target: '/', urls: [] },
      options: { sample_rate: String(sampleRateHz) },
    });
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failed(error, 'receive');
    }
  }

  #failed(error: unknown, where: string): void {
    this.#house.stats.failures++;
    this.#house.reportFailure(error, `audiosocket ${where}`);
    this.#socket.destroy();
  }

  #violated(): void {
    this.#house.stats.protocolViolations++;
    this.#socket.destroy();
  }

  #timeOut(): void {
    this.#house.stats.timeouts++;
    this.#socket.destroy();
  }

  #breakAfter(ms: number): Cancel {
    return this.#house.clock.after(ms, () => this.#timeOut());
  }

  #onClosed(): void {
    const state = this.#state;
    this.#cancelDeadline();
    this.#state = { name: 'closed' };
    if (state.name !== 'active') return;
    const closeCode = this.#hasEnded ? 1000 : 1006;
    this.#guarded(() => state.leg.lost({ type: 'closed', closeCode }, this.#house.clock.nowMs()));
  }
}
