import type { FaultCode } from '../base/errors.ts';
import type { WireMessage } from '../dialect/dialect.ts';

/** How a socket went: closed under us, or ended by a limit of the door. */
export type SocketLoss =
  | { readonly type: 'closed'; readonly closeCode: number }
  | { readonly type: 'broken'; readonly fault: FaultCode };

/** What a leg asks of its socket. */
export interface FrameSink {
  /** Bytes the kernel has not taken yet. */
  readonly bufferedBytes: number;
  /** False when the frame would have waited behind others: it was dropped and counted. */
  sendAudio(message: Uint8Array, isBinary: boolean): boolean;
  /** Control messages are never dropped; a peer that does not read is closed before they pile up. */
  send(message: WireMessage): void;
  /** Reads nothing more for now: a peer that speaks faster than it is heard waits at its own end. */
  pauseReading(): void;
  /** Reads on. */
  resumeReading(): void;
  /**
   * Sends the close frame and ends the connection. `reason` is a short stable word. For `graceMs` the peer
   * may end it first, and is answered in its protocol's words.
   */
  close(closeCode: number, reason: string, graceMs?: number): void;
}
