import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import type { Clock } from '../../base/clock.ts';
import type { WireMessage } from '../../dialect/dialect.ts';
import type { LegSocket } from '../arrivals.ts';
import type { GatewayStats } from '../limits.ts';

const TEXT = { binary: false } as const;
const BINARY = { binary: true } as const;

// ws closes by itself on frames it cannot accept (RFC 6455 §7.4.1), and names no reason.
const REASONS: { readonly [closeCode: number]: string } = {
  1002: 'protocol_violation',
  1003: 'unsupported_format',
  1007: 'protocol_violation',
  1008: 'protocol_violation',
  1009: 'frame_too_large',
};

/** A WebSocket whose close frame always carries a reason. */
export class MediaSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason ?? (code === undefined ? undefined : REASONS[code]));
  }
}

/** Whom the leg's socket tells what the leg did with it. */
export interface WireEvents {
  sent(): void;
  /** The leg wants the connection closed. */
  closing(closeCode: number, reason: string, graceMs: number): void;
  /** More waits than a reading peer would leave; told in a turn of its own, not inside the leg's call. */
  wedged(): void;
}

/** What a leg's socket may hold, where it counts, and who says that a turn is over. */
export interface WireLimits {
  readonly unsentBytesMax: number;
  readonly stats: Pick<GatewayStats, 'droppedAudioFrames' | 'pausedReads'>;
  readonly clock: Pick<Clock, 'afterReading'>;
}

/** The way out of a leg: audio goes at once or not at all, control messages always go. */
export class WireSocket implements LegSocket {
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  readonly #events: WireEvents;
  readonly #unsentBytesMax: number;
  readonly #stats: WireLimits['stats'];
  readonly #atEndOfTurn: ((task: () => void) => void) | undefined;
  readonly #sealed = (): void => void (this.#isSealing = false);
  #isSealing = false;
  #isOpen = true;
  #takesAudio = true;
  #isReading = true;

  constructor(
    sockets: { readonly webSocket: WebSocket; readonly socket: Duplex },
    events: WireEvents,
    { unsentBytesMax, stats, clock }: WireLimits,
  ) {
    // TLS seals at once what it is given, and says so when the turn is over: that is no wait for the peer.
    this.#atEndOfTurn = sockets.socket instanceof TLSSocket ? clock.afterReading?.bind(clock) : undefined;
    this.#webSocket = sockets.webSocket;
    this.#socket = sockets.socket;
    this.#events = events;
    this.#unsentBytesMax = unsentBytesMax;
    this.#stats = stats;
  }

  get bufferedBytes(): number {
    return this.#isSealing ? 0 : this.#socket.writableLength;
  }

  /** False while the leg wants to hear no more: the peer's pongs wait unread with the rest. */
  get isReading(): boolean {
    return this.#isReading;
  }

  pauseReading(): void {
    if (!this.#isReading || !this.#isOpen) return;
    this.#isReading = false;
    this.#stats.pausedReads++;
    this.#webSocket.pause();
  }

  resumeReading(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#webSocket.resume();
  }

  sendAudio(message: Uint8Array, isBinary: boolean): boolean {
    if (!this.#isOpen || !this.#takesAudio) return false;
    const waitingBytes = this.#socket.writableLength;
    if (waitingBytes !== 0 && (!this.#isSealing || waitingBytes > this.#unsentBytesMax)) {
      this.#stats.droppedAudioFrames++;
      return false;
    }
    this.#beginSealing();
    // ws keeps the bytes until the kernel has them, and the next frame is written into the same template.
    const bytes = waitingBytes === 0 ? message : Buffer.from(message);
    this.#webSocket.send(bytes, isBinary ? BINARY : TEXT);
    this.#events.sent();
    return true;
  }

  /** What is written from an idle socket in this turn waits for TLS alone, and not for the peer. */
  #beginSealing(): void {
    if (this.#atEndOfTurn === undefined || this.#isSealing || this.#socket.writableLength !== 0) return;
    this.#isSealing = true;
    this.#atEndOfTurn(this.#sealed);
  }

  send(message: WireMessage): void {
    if (!this.#isOpen) return;
    this.#beginSealing();
    this.#webSocket.send(message.bytes, message.isBinary ? BINARY : TEXT);
    this.#events.sent();
    if (this.#socket.writableLength <= this.#unsentBytesMax) return;
    this.#isOpen = false;
    queueMicrotask(() => this.#events.wedged());
  }

  close(closeCode: number, reason: string, graceMs = 0): void {
    if (!this.#isOpen || !this.#takesAudio) return;
    this.#takesAudio = false;
    this.resumeReading();
    if (graceMs <= 0) this.#isOpen = false;
    this.#events.closing(closeCode, reason, graceMs);
  }

  /** Nothing more goes out: the connection is ending. What the peer answers must be read for that. */
  shut(): void {
    this.#isOpen = false;
    this.resumeReading();
  }
}
