import { invariant } from '../../../base/errors.ts';
import type { DialectSession, Inbound, LegStarted, ReadResult, WireMessage } from '../../dialect.ts';
import type { MediaWriter } from './media-writer.ts';

/** What a session asks of its reader. */
export interface SessionReader {
  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult;
}

/** The server's side of a connection whose audio is base64 inside JSON. */
export class MediaSession implements DialectSession {
  readonly audioIsBinary = false;
  readonly isReplaceable = true;
  readonly #reader: SessionReader;
  readonly #openWriter: (started: LegStarted) => MediaWriter;
  #writer: MediaWriter | undefined;

  constructor(reader: SessionReader, openWriter: (started: LegStarted) => MediaWriter) {
    this.#reader = reader;
    this.#openWriter = openWriter;
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    const result = this.#reader.read(message, isBinary, into);
    if (result.type === 'started') this.#writer = this.#openWriter(result);
    return result;
  }

  writeAudio(frame: Uint8Array): Uint8Array | undefined {
    invariant(this.#writer !== undefined, 'audio is written after start');
    return this.#writer.audio(frame);
  }

  flushAudio(): Uint8Array | undefined {
    return this.#writer?.flush();
  }

  writeMark(name: string): WireMessage | undefined {
    return this.#writer?.mark(name);
  }

  writeClear(): WireMessage | undefined {
    return this.#writer?.clear();
  }

  writeDtmf(digit: string): WireMessage | undefined {
    return this.#writer?.dtmf(digit);
  }

  writeEnd(): WireMessage | undefined {
    return this.#writer?.end();
  }

  // Providers of this family have no words for the rest: hanging up and transferring go by their REST APIs,
  // and closing the socket is what ends most streams.
  writeStarted(): undefined {}
  writeEvent(): undefined {}
  writeAnswer(): undefined {}
  writeGoaway(): undefined {}
}
