import { refuse, type Refusal } from '../../base/errors.ts';

/** A frame beyond this ends the link: nothing we say comes near it. */
export const FRAME_BYTES_MAX = 1024 * 1024;

const LENGTH_BYTES = 4;
const TYPE_BYTES = 1;
const HANDLE_BYTES = 8;
const HEAD_BYTES = TYPE_BYTES + HANDLE_BYTES;
/** What stands before every payload. */
export const OVERHEAD_BYTES = LENGTH_BYTES + HEAD_BYTES;

/** What a frame is. From 16 on the types belong to whoever carries something over the link. */
export const FRAME = { hello: 1, ping: 2, pong: 3, question: 4, answer: 5, status: 6, carried: 16 } as const;

/** `handle` numbers a question, a ping or a leg: below 2^53. The payload is valid until the return. */
export type TakeFrame = (type: number, handle: number, payload: Buffer) => void;

/** What comes before the payload: length of the rest (4 bytes, big-endian), type (1), handle (8). */
export function frameHead(type: number, handle: number, payloadBytes: number): Buffer {
  const head = Buffer.allocUnsafe(OVERHEAD_BYTES);
  head.writeUInt32BE(HEAD_BYTES + payloadBytes, 0);
  head.writeUInt8(type, LENGTH_BYTES);
  head.writeBigUInt64BE(BigInt(handle), LENGTH_BYTES + TYPE_BYTES);
  return head;
}

/** Cuts a byte stream into frames, however it arrives. After a refusal the stream is beyond reading. */
export class PeerFrames {
  readonly #take: TakeFrame;
  #held: Buffer = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #wantedBytes = LENGTH_BYTES;

  constructor(take: TakeFrame) {
    this.#take = take;
  }

  /** Takes a chunk and tells every frame it completes. Bytes are joined once per frame, when it is whole. */
  push(chunk: Buffer): Refusal | undefined {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#wantedBytes) return undefined;
    this.#held = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#heldBytes);
    const refusal = this.#cut();
    this.#chunks = this.#held.length === 0 ? [] : [this.#held];
    this.#heldBytes = this.#held.length;
    return refusal;
  }

  #cut(): Refusal | undefined {
    for (;;) {
      const held = this.#held;
      this.#wantedBytes = LENGTH_BYTES;
      if (held.length < LENGTH_BYTES) return undefined;
      const frameBytes = held.readUInt32BE(0);
      if (frameBytes < HEAD_BYTES || frameBytes > FRAME_BYTES_MAX) {
        return refuse('protocol_violation', `a frame of ${frameBytes} bytes`);
      }
      this.#wantedBytes = LENGTH_BYTES + frameBytes;
      if (held.length < this.#wantedBytes) return undefined;
      const handle = Number(held.readBigUInt64BE(LENGTH_BYTES + TYPE_BYTES));
      if (!Number.isSafeInteger(handle)) return refuse('protocol_violation', 'a handle beyond 2^53');
      this.#held = held.subarray(this.#wantedBytes);
      this.#take(held.readUInt8(LENGTH_BYTES), handle, held.subarray(OVERHEAD_BYTES, this.#wantedBytes));
    }
  }
}
