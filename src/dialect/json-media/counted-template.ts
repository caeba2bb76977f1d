import { base64Bytes, encodeBase64Into } from '../../base/base64.ts';
import { invariant } from '../../base/errors.ts';
import type { WireMessage } from '../dialect.ts';

/** Numbers a message counts with; a provider that has fewer leaves the last ones out. */
const COUNTERS_MAX = 3;

/**
 * An audio message with counters in it, as providers send it. It is written in place while its numbers keep
 * their widths: hundreds of callers share a core.
 */
export class CountedTemplate {
  readonly #parts: readonly string[];
  readonly #counters: number;
  readonly #values = new Float64Array(COUNTERS_MAX);
  readonly #digits = new Uint8Array(COUNTERS_MAX);
  readonly #ends = new Uint32Array(COUNTERS_MAX);
  #message: WireMessage = { bytes: new Uint8Array(0), isBinary: false };
  #frameBytes = -1;
  #payloadStart = 0;

  /** What stands before each counter, before the payload, and behind it. */
  constructor(parts: readonly string[]) {
    this.#parts = parts;
    this.#counters = parts.length - 2;
    invariant(this.#counters >= 0 && this.#counters <= COUNTERS_MAX, 'a message counts up to three things');
  }

  write(frame: Uint8Array, first = 0, second = 0, third = 0): WireMessage {
    this.#values[0] = first;
    this.#values[1] = second;
    this.#values[2] = third;
    if (frame.length !== this.#frameBytes || !this.#keepsWidths()) this.#layOut(frame.length);
    const { bytes } = this.#message;
    for (let i = 0; i < this.#counters; i++) writeDigits(bytes, this.#ends[i]!, this.#values[i]!);
    encodeBase64Into(frame, frame.length, bytes, this.#payloadStart);
    return this.#message;
  }

  #keepsWidths(): boolean {
    for (let i = 0; i < this.#counters; i++) {
      if (digitsOf(this.#values[i]!) !== this.#digits[i]) return false;
    }
    return true;
  }

  #layOut(frameBytes: number): void {
    let text = Buffer.alloc(0);
    for (let i = 0; i < this.#counters; i++) {
      text = Buffer.concat([text, Buffer.from(this.#parts[i]! + String(this.#values[i]!))]);
      this.#ends[i] = text.length;
      this.#digits[i] = digitsOf(this.#values[i]!);
    }
    const head = Buffer.from(this.#parts[this.#counters]!);
    const tail = Buffer.from(this.#parts[this.#counters + 1]!);
    this.#payloadStart = text.length + head.length;
    const bytes = Buffer.concat([text, head, Buffer.alloc(base64Bytes(frameBytes)), tail]);
    this.#message = { bytes, isBinary: false };
    this.#frameBytes = frameBytes;
  }
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}

function writeDigits(target: Uint8Array, end: number, value: number): void {
  let at = end;
  let rest = value;
  do {
    target[--at] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  } while (rest > 0);
}
