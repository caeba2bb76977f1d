import { HEADER_BYTES } from '../../dialect/audiosocket/framing.ts';

/** Longer than 20 ms at any rate, and far less than the 65 535 a header can say. */
const MESSAGE_BYTES_MAX = HEADER_BYTES + 8_192;

/** Cuts a stream of bytes into the whole messages of AudioSocket. */
export class MessageCutter {
  readonly #bytes = Buffer.alloc(2 * MESSAGE_BYTES_MAX);
  #filledBytes = 0;

  /** Room for so many bytes more; whoever pushes more than that pushes in pieces. */
  get roomBytes(): number {
    return this.#bytes.length - this.#filledBytes;
  }

  push(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#filledBytes);
    this.#filledBytes += bytes.length;
  }

  /** Hands on every whole message until `take` says false; false where one is longer than any may be. */
  cut(take: (message: Uint8Array) => boolean): boolean {
    let readAt = 0;
    let goesOn = true;
    while (goesOn && this.#filledBytes - readAt >= HEADER_BYTES) {
      const messageBytes = HEADER_BYTES + this.#bytes.readUInt16BE(readAt + 1);
      if (messageBytes > MESSAGE_BYTES_MAX) return false;
      if (this.#filledBytes - readAt < messageBytes) break;
      goesOn = take(this.#bytes.subarray(readAt, readAt + messageBytes));
      readAt += messageBytes;
    }
    this.#bytes.copyWithin(0, readAt, this.#filledBytes);
    this.#filledBytes -= readAt;
    return true;
  }
}
