import { base64Bytes, encodeBase64Into } from '../base/base64.ts';

/**
 * A text message that differs from frame to frame only in its base64 payload. It is written in place: what
 * `write` returned before is overwritten (media.md §3).
 */
export class Base64Template {
  readonly #head: Buffer;
  readonly #tail: Buffer;
  #message: Buffer = Buffer.alloc(0);
  #frameBytes = -1;

  constructor(head: string, tail: string) {
    this.#head = Buffer.from(head);
    this.#tail = Buffer.from(tail);
  }

  write(frame: Uint8Array): Uint8Array {
    if (frame.length !== this.#frameBytes) this.#resize(frame.length);
    encodeBase64Into(frame, frame.length, this.#message, this.#head.length);
    return this.#message;
  }

  // Frames of one leg are of one size; another size is a new leg's, or a packet codec's.
  #resize(frameBytes: number): void {
    this.#frameBytes = frameBytes;
    this.#message = Buffer.concat([this.#head, Buffer.alloc(base64Bytes(frameBytes)), this.#tail]);
  }
}
