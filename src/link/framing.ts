import { refuse, type Refusal } from '../base/errors.ts';
import { parseObject, type JsonObject } from '../base/json.ts';
import type { FromControl, FromNode } from './messages.ts';

/** A message beyond this ends the connection: nothing we say comes near it. */
export const MESSAGE_BYTES_MAX = 8 * 1024 * 1024;

const LENGTH_BYTES = 4;
const RECORDS_TAIL = ']}';

/** One message as it goes on the wire: its length (4 bytes, big-endian), then its JSON text. */
export function encodeMessage(message: FromNode | FromControl): Buffer {
  const text = JSON.stringify(message);
  const textBytes = Buffer.byteLength(text);
  const encoded = Buffer.allocUnsafe(LENGTH_BYTES + textBytes);
  encoded.writeUInt32BE(textBytes, 0);
  encoded.write(text, LENGTH_BYTES);
  return encoded;
}

/** An `events` message made of records that are JSON text already: nothing is serialised a second time. */
export function encodeEvents(first: number, payloads: readonly Buffer[]): Buffer {
  const head = `{"type":"events","first":${first},"records":[`;
  const commas = payloads.length - 1;
  let textBytes = head.length + commas + RECORDS_TAIL.length;
  for (const payload of payloads) textBytes += payload.length;
  const encoded = Buffer.allocUnsafe(LENGTH_BYTES + textBytes);
  encoded.writeUInt32BE(textBytes, 0);
  let offset = LENGTH_BYTES + encoded.write(head, LENGTH_BYTES, 'latin1');
  for (const [index, payload] of payloads.entries()) {
    if (index > 0) offset += encoded.write(',', offset, 'latin1');
    offset += payload.copy(encoded, offset);
  }
  encoded.write(RECORDS_TAIL, offset, 'latin1');
  return encoded;
}

/** Why a message is not sent; undefined where it may be. */
export function tooLong(encoded: Buffer, bytesMax: number): Refusal | undefined {
  return encoded.length > bytesMax
    ? refuse('payload_too_large', `${encoded.length} bytes of message`)
    : undefined;
}

/** Cuts a byte stream into messages, however it arrives. After a refusal the stream is beyond reading. */
export class FrameDecoder {
  readonly #onMessage: (message: JsonObject) => void;
  readonly #messageBytesMax: number;
  #chunks: Buffer[] = [];
  #heldBytes = 0;

  constructor(onMessage: (message: JsonObject) => void, messageBytesMax = MESSAGE_BYTES_MAX) {
    this.#onMessage = onMessage;
    this.#messageBytesMax = messageBytesMax;
  }

  /** Bytes of a message that is not whole yet; never more than one message and one chunk. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Takes a chunk and tells every message it completes. */
  push(chunk: Buffer): Refusal | undefined {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    for (;;) {
      const textBytes = this.#announcedBytes();
      if (textBytes === undefined) return undefined;
      if (textBytes > this.#messageBytesMax)
        return refuse('frame_too_large', `a message of ${textBytes} bytes`);
      if (this.#heldBytes < LENGTH_BYTES + textBytes) return undefined;
      const message = parseObject(this.#take(LENGTH_BYTES + textBytes).subarray(LENGTH_BYTES));
      if (message === undefined) return refuse('not_json', 'a message is not a JSON object');
      this.#onMessage(message);
    }
  }

  #announcedBytes(): number | undefined {
    if (this.#heldBytes < LENGTH_BYTES) return undefined;
    if (this.#chunks[0]!.length < LENGTH_BYTES) this.#join();
    return this.#chunks[0]!.readUInt32BE(0);
  }

  #take(count: number): Buffer {
    // Joined once per message, when it is whole: a large one that came in many chunks is copied only once.
    if (this.#chunks[0]!.length < count) this.#join();
    const joined = this.#chunks[0]!;
    const rest = joined.subarray(count);
    if (rest.length > 0) this.#chunks[0] = rest;
    else this.#chunks.shift();
    this.#heldBytes -= count;
    return joined.subarray(0, count);
  }

  #join(): void {
    this.#chunks = [Buffer.concat(this.#chunks, this.#heldBytes)];
  }
}
