import type { WireMessage } from '../dialect/dialect.ts';

/** What a leg asks of its socket. */
export interface FrameSink {
  /** Bytes the kernel has not taken yet. */
  readonly bufferedBytes: number;
  /** False when the frame would have waited behind others: it was dropped. */
  sendAudio(message: Uint8Array, isBinary: boolean): boolean;
  /** Control messages are never dropped. */
  send(message: WireMessage): void;
  close(closeCode: number, reason: string): void;
}
