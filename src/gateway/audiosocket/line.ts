import type { Socket } from 'node:net';
import type { WireMessage } from '../../dialect/dialect.ts';
import type { LegSocket } from '../arrivals.ts';

/** Of all lines of a door. */
export interface TcpLineStats {
  /** Ended because they did not read. */
  wedgedSockets: number;
}

/** The way out of a leg over plain TCP: audio goes at once or not at all, all else always. */
export class TcpLine implements LegSocket {
  readonly #stats: TcpLineStats;
  readonly #socket: Socket;
  readonly #unsentBytesMax: number;
  readonly #onClosing: () => void;
  #isOpen = true;
  #isPaused = false;

  constructor(socket: Socket, unsentBytesMax: number, onClosing: () => void, stats: TcpLineStats) {
    this.#socket = socket;
    this.#stats = stats;
    this.#unsentBytesMax = unsentBytesMax;
    this.#onClosing = onClosing;
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  sendAudio(message: Uint8Array): boolean {
    if (!this.#isOpen) return false;
    // The next frame is written into the same bytes: the kernel must have these first.
    if (this.#socket.writableLength !== 0) return false;
    this.#socket.write(message);
    return true;
  }

  send({ bytes }: WireMessage): void {
    if (!this.#isOpen) return;
    this.#socket.write(bytes);
    if (this.#socket.writableLength <= this.#unsentBytesMax) return;
    this.#stats.wedgedSockets++;
    this.#isOpen = false;
    this.#socket.destroy();
  }

  /** Whether it is our own doing that nothing is heard. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  pauseReading(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#isPaused = false;
    this.#socket.resume();
  }

  /** TCP has neither codes nor reasons: what was written goes out, then the end. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#socket.end();
    this.#onClosing();
  }
}
