import { connect } from 'node:net';
import { messageOf } from '../../../base/errors.ts';
import { HEADER_BYTES } from '../../../dialect/audiosocket/framing.ts';
import type { Dial, WireEnd } from './media-wire.ts';

/** A header can say no more. */
const MESSAGE_BYTES_MAX = HEADER_BYTES + 65_535;

/** Connects over plain TCP, as Asterisk's AudioSocket does. */
export const dialAudioSocket: Dial = ({ url }, listener) => {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let isOver = false;
  let hasOpened = false;
  const end = (how: WireEnd): void => {
    if (isOver) return;
    isOver = true;
    listener.ended(how);
  };
  const cutter = new MessageCutter((message) => listener.heard(message, true));
  socket.on('connect', () => {
    hasOpened = true;
    listener.opened();
  });
  socket.on('data', (bytes) => cutter.push(bytes));
  // There are no close codes: whoever ends the stream in order has hung up.
  socket.on('close', (hadError) => end({ type: 'closed', code: hadError ? 1006 : 1000, reason: '' }));
  socket.on('error', (error) => {
    if (!hasOpened) end({ type: 'unreachable', detail: messageOf(error) });
  });
  return {
    get bufferedBytes() {
      return socket.writableLength;
    },
    // What waits may be overwritten by the next frame; the socket keeps its own copy.
    send: ({ bytes }) => void socket.write(Buffer.from(bytes)),
    close: () => void socket.end(),
    cut: () => void socket.destroy(),
  };
};

/** Whole messages out of a stream of bytes. */
class MessageCutter {
  readonly #take: (message: Uint8Array) => void;
  readonly #bytes = Buffer.alloc(MESSAGE_BYTES_MAX);
  #filledBytes = 0;

  constructor(take: (message: Uint8Array) => void) {
    this.#take = take;
  }

  push(bytes: Uint8Array): void {
    for (let readAt = 0; readAt < bytes.length;) {
      const piece = bytes.subarray(readAt, readAt + this.#bytes.length - this.#filledBytes);
      this.#bytes.set(piece, this.#filledBytes);
      this.#filledBytes += piece.length;
      readAt += piece.length;
      this.#cut();
    }
  }

  #cut(): void {
    let readAt = 0;
    while (this.#filledBytes - readAt >= HEADER_BYTES) {
      const messageBytes = HEADER_BYTES + this.#bytes.readUInt16BE(readAt + 1);
      if (this.#filledBytes - readAt < messageBytes) break;
      this.#take(this.#bytes.subarray(readAt, readAt + messageBytes));
      readAt += messageBytes;
    }
    this.#bytes.copyWithin(0, readAt, this.#filledBytes);
    this.#filledBytes -= readAt;
  }
}
