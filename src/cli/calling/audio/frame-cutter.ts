/** Cuts messages of any length into frames of 20 ms; what is left over waits for the next message. */
export class FrameCutter {
  readonly #frame: Uint8Array;
  #filledBytes = 0;

  /** `frameBytes` is 0 where every message is one frame. */
  constructor(frameBytes: number) {
    this.#frame = new Uint8Array(frameBytes);
  }

  /** Hands on every whole frame; its bytes are valid until `take` returns. */
  cut(message: Uint8Array, messageBytes: number, take: (frame: Uint8Array, bytes: number) => void): void {
    const length = this.#frame.length;
    if (this.#filledBytes === 0 && (length === 0 || messageBytes === length)) {
      return take(message, messageBytes);
    }
    for (let readAt = 0; readAt < messageBytes;) {
      const bytes = Math.min(length - this.#filledBytes, messageBytes - readAt);
      this.#frame.set(message.subarray(readAt, readAt + bytes), this.#filledBytes);
      readAt += bytes;
      this.#filledBytes += bytes;
      if (this.#filledBytes < length) return;
      this.#filledBytes = 0;
      take(this.#frame, length);
    }
  }
}
