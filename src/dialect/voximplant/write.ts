import { base64Bytes, encodeBase64Into } from '../../base/base64.ts';
import { invariant } from '../../base/errors.ts';
import { FRAME_MS, frameSamples } from '../../base/units.ts';
import { frameBytes, type AudioFormat } from '../../media/format.ts';
import type { DialectSession, Inbound, LegStarted, ReadResult, WireMessage } from '../dialect.ts';
import { textMessage } from '../text-message.ts';
import { encodingName } from './encodings.ts';
import type { VoximplantReader } from './read.ts';

/** Room for the largest whole number that is exact. */
const DIGITS = 16;
const BLANK = 0x20;
const ZERO = 0x30;

/** The numbers in front of the payload, in their order. */
const FIELDS = [
  '{"event":"media","sequenceNumber":',
  ',"media":{"chunk":',
  ',"timestamp":',
  ',"payload":"',
] as const;

/**
 * Audio with three counters, written in place: blanks in front of the numbers, which JSON does not mind, keep
 * every message as long as the one before.
 */
class NumberedAudio {
  /** The numbers of the message written last: its own, its chunk's, and the samples before it. */
  readonly numbers = new Float64Array(FIELDS.length - 1);
  readonly #ends: Uint32Array;
  readonly #message: Buffer;
  readonly #frameBytes: number;
  readonly #payloadStart: number;

  constructor(frameBytes: number) {
    const [first, second, third, last] = FIELDS;
    const room = ' '.repeat(DIGITS);
    const head = first + room + second + room + third + room + last;
    const firstEnd = first.length + DIGITS;
    const secondEnd = firstEnd + second.length + DIGITS;
    this.#ends = Uint32Array.of(firstEnd, secondEnd, secondEnd + third.length + DIGITS);
    this.#frameBytes = frameBytes;
    this.#payloadStart = head.length;
    this.#message = Buffer.concat([
      Buffer.from(head),
      Buffer.alloc(base64Bytes(frameBytes)),
      Buffer.from('"}}'),
    ]);
  }

  write(frame: Uint8Array): Uint8Array {
    invariant(frame.length === this.#frameBytes, 'frames of one stream are of one size');
    for (let i = 0; i < this.numbers.length; i++) this.#writeNumber(i);
    encodeBase64Into(frame, frame.length, this.#message, this.#payloadStart);
    return this.#message;
  }

  #writeNumber(field: number): void {
    const end = this.#ends[field]!;
    const bytes = this.#message;
    let at = end;
    let rest = this.numbers[field]!;
    do {
      bytes[--at] = ZERO + (rest % 10);
      rest = Math.floor(rest / 10);
    } while (rest > 0);
    while (at > end - DIGITS) bytes[--at] = BLANK;
  }
}

/** What is said to Voximplant: a start of our own, audio numbered as its own is, stop. */
class VoximplantWriter {
  readonly #format: AudioFormat;
  readonly #audio: NumberedAudio;
  readonly #frameSamples: number;
  #sequenceNumber = 0;
  #chunk = 0;
  #sentBytes = 0;

  constructor(format: AudioFormat) {
    this.#format = format;
    this.#audio = new NumberedAudio(frameBytes(format));
    this.#frameSamples = frameSamples(format.sampleRateHz);
  }

  started(): WireMessage {
    const mediaFormat = { encoding: encodingName(this.#format), sampleRate: this.#format.sampleRateHz };
    return textMessage({ event: 'start', sequenceNumber: 0, start: { mediaFormat } });
  }

  audio(frame: Uint8Array): Uint8Array {
    const { numbers } = this.#audio;
    numbers[0] = ++this.#sequenceNumber;
    numbers[1] = this.#chunk + 1;
    numbers[2] = this.#chunk * this.#frameSamples;
    this.#chunk++;
    this.#sentBytes += frame.length;
    return this.#audio.write(frame);
  }

  skip(): void {
    this.#chunk++;
  }

  end(): WireMessage {
    const mediaInfo = { bytesSent: this.#sentBytes, duration: this.#chunk * FRAME_MS };
    return textMessage({ event: 'stop', sequenceNumber: ++this.#sequenceNumber, stop: { mediaInfo } });
  }
}

/** The server's side of a `WebSocketFormat` stream. */
export class VoximplantSession implements DialectSession {
  readonly audioIsBinary = false;
  readonly #reader: VoximplantReader;
  #writer: VoximplantWriter | undefined;

  constructor(reader: VoximplantReader) {
    this.#reader = reader;
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    const result = this.#reader.read(message, isBinary, into);
    if (result.type === 'started') this.#writer = writerOf(result);
    return result;
  }

  writeAudio(frame: Uint8Array): Uint8Array {
    invariant(this.#writer !== undefined, 'audio is written after start');
    return this.#writer.audio(frame);
  }

  skipAudio(): void {
    this.#writer?.skip();
  }

  writeStarted(): WireMessage | undefined {
    return this.#writer?.started();
  }

  writeEnd(): WireMessage | undefined {
    return this.#writer?.end();
  }

  // What it holds is the scenario's to clear, and to mark; the rest it has no words for.
  writeMark(): undefined {}
  writeClear(): undefined {}
  writeDtmf(): undefined {}
  writeEvent(): undefined {}
  writeAnswer(): undefined {}
  writeGoaway(): undefined {}
}

function writerOf({ outbound, bidirectional }: LegStarted): VoximplantWriter | undefined {
  return bidirectional ? new VoximplantWriter(outbound) : undefined;
}
