import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { AtMs, Clock } from '../../base/clock.ts';
import type { FaultCode } from '../../base/errors.ts';
import type { DialectSession, ReadResult } from '../../dialect/dialect.ts';
import type { GatewayLimits, GatewayStats } from '../limits.ts';
import { WireSocket } from './leg-socket.ts';
import { MessageRate } from './message-rate.ts';
import { SignsOfLife } from './signs-of-life.ts';

/** What is asked of whoever has connections; a door and a dialler have more. */
export interface SocketHouse {
  readonly clock: Pick<Clock, 'nowMs' | 'afterReading'>;
  readonly limits: Pick<
    GatewayLimits,
    | 'messagesPerSecondMax'
    | 'messageBurstMax'
    | 'unsentBytesMax'
    | 'pingEveryMs'
    | 'silentMsMax'
    | 'pongMsMax'
  >;
  readonly stats: Pick<
    GatewayStats,
    | 'messagesTotal'
    | 'receivedBytes'
    | 'droppedAudioFrames'
    | 'pausedReads'
    | 'wedgedSockets'
    | 'rateLimited'
    | 'oversizedMessages'
    | 'pingTimeouts'
  >;
}

/** What a connection is told of its socket. Nothing but `closed` comes once it has been shut. */
export interface PeerSocketEvents {
  /** One whole message. The bytes are the socket's again when this returns. */
  message(message: Buffer, isBinary: boolean, nowMs: AtMs): void;
  /** The peer answered a ping after so many milliseconds. */
  ponged(roundTripMs: number): void;
  /** A limit was passed: the connection is to be ended by this fault. */
  broken(fault: FaultCode): void;
  /** A frame that ws could not accept: it has sent its close frame already, and the socket is shut. */
  refused(fault: FaultCode): void;
  /** The peer has given no sign of life for too long. */
  silent(): void;
  /** The leg wants the connection closed. */
  closing(closeCode: number, reason: string, graceMs: number): void;
  closed(closeCode: number): void;
}

// What ws calls a message beyond `maxPayload`, by its frame header or by the sum of its fragments.
const OVERSIZED = ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH'];

/** One open WebSocket, whoever opened it: its way out, its signs of life, and the limits on its way in. */
export class PeerSocket {
  readonly wire: WireSocket;
  readonly #webSocket: WebSocket;
  readonly #house: SocketHouse;
  readonly #events: PeerSocketEvents;
  readonly #life: SignsOfLife;
  readonly #rate: MessageRate;
  readonly #gone = Promise.withResolvers<void>();
  #isShut = false;

  constructor(
    sockets: { readonly webSocket: WebSocket; readonly socket: Duplex },
    house: SocketHouse,
    events: PeerSocketEvents,
  ) {
    const { limits, stats, clock } = house;
    const nowMs = clock.nowMs();
    this.#webSocket = sockets.webSocket;
    this.#house = house;
    this.#events = events;
    this.#life = new SignsOfLife(limits, nowMs);
    this.#rate = new MessageRate(limits.messagesPerSecondMax, limits.messageBurstMax, nowMs);
    this.wire = new WireSocket(
      sockets,
      {
        sent: () => this.#life.sent(),
        closing: (closeCode, reason, graceMs) => events.closing(closeCode, reason, graceMs),
        wedged: () => this.#wedged(),
      },
      { unsentBytesMax: limits.unsentBytesMax, stats, clock },
    );
    this.#listen();
  }

  /** Resolved when the socket is gone. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Looks whether the peer is alive; false where there is nothing more to be done with it. */
  look(nowMs: AtMs): boolean {
    if (this.#isShut) return false;
    const verdict = this.#life.judge(this.wire, nowMs);
    if (verdict === 'ping') this.#webSocket.ping();
    if (verdict === 'stalled') this.#wedged();
    if (verdict === 'silent') this.#silent();
    return verdict === 'fine' || verdict === 'ping';
  }

  /** Says the protocol's word of life where `everyMs` have passed without another; never when that is 0. */
  sayAlive(session: Pick<DialectSession, 'writeKeepAlive'>, everyMs: number, nowMs: AtMs): void {
    if (!this.#life.isWordDue(everyMs, nowMs)) return;
    const words = session.writeKeepAlive?.();
    if (words !== undefined) this.wire.send(words);
  }

  /** After our last words the peer still gets its answers, and is heard no more. */
  hearOut(said: ReadResult): void {
    for (const one of said.type === 'several' ? said.inputs : [said]) {
      if (one.type === 'reply') this.wire.send(one.message);
    }
  }

  /** Our close frame goes out, unless the socket was shut before. */
  close(closeCode: number, reason: string): void {
    if (this.#isShut) return;
    this.#shut();
    // ws ends the socket itself when the peer does not answer within its `closeTimeout`.
    this.#webSocket.close(closeCode, reason);
  }

  /** Nobody is there to read a close frame. */
  terminate(): void {
    this.#shut();
    this.#webSocket.terminate();
  }

  #listen(): void {
    const socket = this.#webSocket;
    // ws hands whole messages over as one Buffer, on either side.
    socket.on('message', (message, isBinary) => this.#onMessage(message as Buffer, isBinary));
    socket.on('pong', () => this.#onControlFrame(true));
    socket.on('ping', () => this.#onControlFrame(false));
    socket.on('error', (error) => this.#onError(error));
    socket.on('close', (closeCode) => {
      this.#shut();
      this.#events.closed(closeCode);
      this.#gone.resolve();
    });
  }

  #onMessage(message: Buffer, isBinary: boolean): void {
    if (this.#isShut) return;
    const { clock, stats } = this.#house;
    const nowMs = clock.nowMs();
    stats.messagesTotal++;
    stats.receivedBytes += message.length;
    this.#life.heard(nowMs);
    if (this.#rate.take(nowMs)) this.#events.message(message, isBinary, nowMs);
    else this.#flooded();
  }

  #onControlFrame(isPong: boolean): void {
    if (this.#isShut) return;
    const nowMs = this.#house.clock.nowMs();
    if (isPong) this.#ponged(nowMs);
    else this.#life.heard(nowMs);
    // Control frames are work too: a flood of pings is a flood.
    if (!this.#rate.take(nowMs)) this.#flooded();
  }

  #ponged(nowMs: AtMs): void {
    const roundTripMs = this.#life.ponged(nowMs);
    if (roundTripMs !== undefined) this.#events.ponged(roundTripMs);
  }

  /** Ws could not accept a frame. Or the network broke, which its end will tell. */
  #onError(error: Error & { readonly code?: string }): void {
    if (this.#isShut || !error.code?.startsWith('WS_ERR')) return;
    const isOversized = OVERSIZED.includes(error.code);
    if (isOversized) this.#house.stats.oversizedMessages++;
    this.#shut();
    this.#events.refused(isOversized ? 'frame_too_large' : 'protocol_violation');
  }

  #flooded(): void {
    this.#house.stats.rateLimited++;
    this.#events.broken('too_many_messages');
  }

  #wedged(): void {
    if (this.#isShut) return;
    this.#house.stats.wedgedSockets++;
    this.#events.broken('peer_stalled');
  }

  #silent(): void {
    this.#house.stats.pingTimeouts++;
    this.#events.silent();
  }

  #shut(): void {
    this.#isShut = true;
    this.wire.shut();
  }
}
