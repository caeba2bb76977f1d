import type { WireMessage } from '../../src/dialect/dialect.ts';
import type { LegSocket } from '../../src/gateway/arrivals.ts';

/** A socket that keeps what it is told, in order. A wedged one takes nothing, as a reader that stopped reading. */
export class MemorySocket implements LegSocket {
  readonly sent: { readonly bytes: Uint8Array; readonly isBinary: boolean; readonly isAudio: boolean }[] = [];
  isWedged = false;
  closed: { readonly closeCode: number; readonly reason: string } | undefined;
  /** How long the peer was given to end the connection itself. */
  graceMs = 0;
  /** Told of every message as it is sent. */
  onSent: (message: WireMessage) => void = () => {};

  isReading = true;

  pauseReading(): void {
    this.isReading = false;
  }

  resumeReading(): void {
    this.isReading = true;
  }

  get bufferedBytes(): number {
    return this.isWedged ? 1 : 0;
  }

  sendAudio(message: Uint8Array, isBinary: boolean): boolean {
    if (this.isWedged || this.closed !== undefined) return false;
    this.#keep({ bytes: message, isBinary }, true);
    return true;
  }

  send(message: WireMessage): void {
    if (this.closed === undefined) this.#keep(message, false);
  }

  close(closeCode: number, reason: string, graceMs = 0): void {
    this.closed ??= { closeCode, reason };
    this.graceMs = graceMs;
  }

  #keep({ bytes, isBinary }: WireMessage, isAudio: boolean): void {
    const copy = Uint8Array.from(bytes);
    this.sent.push({ bytes: copy, isBinary, isAudio });
    this.onSent({ bytes: copy, isBinary });
  }
}
