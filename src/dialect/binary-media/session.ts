import { invariant } from '../../base/errors.ts';
import type { DialectSession, Inbound, LegStarted, ReadResult, WireMessage } from '../dialect.ts';

/** What is said to one provider on one stream. What is absent it has no words for. */
export interface BinaryWriter {
  audio(frame: Uint8Array): Uint8Array | undefined;
  flush?(): Uint8Array | undefined;
  started?(): WireMessage | undefined;
  mark?(name: string): WireMessage | undefined;
  clear?(): WireMessage | undefined;
  tail?(): WireMessage | undefined;
  end?(): WireMessage | undefined;
}

/** What a session asks of its reader. */
export interface BinaryReader {
  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult;
}

/** How one provider of this family is spoken to. */
export interface BinaryManners {
  readonly reader: BinaryReader;
  readonly openWriter: (started: LegStarted) => BinaryWriter;
  /** False where audio to the provider is text, though audio from it is not. */
  readonly audioIsBinary?: boolean;
  readonly endGraceMs?: number;
  /** Whether its writer has a tail to say. */
  readonly hasTail?: boolean;
  /** As of a `DialectSession`: messages are whole samples, and nothing of one is needed for the next. */
  readonly isReplaceable?: true;
}

/** The server's side of a connection whose audio is binary messages without any header of their own. */
export class BinarySession implements DialectSession {
  readonly audioIsBinary: boolean;
  readonly endGraceMs: number;
  readonly writeTail?: () => WireMessage | undefined;
  readonly isReplaceable?: true;
  readonly #reader: BinaryReader;
  readonly #openWriter: (started: LegStarted) => BinaryWriter;
  #writer: BinaryWriter | undefined;

  constructor(manners: BinaryManners) {
    this.audioIsBinary = manners.audioIsBinary ?? true;
    this.endGraceMs = manners.endGraceMs ?? 0;
    if (manners.isReplaceable === true) this.isReplaceable = true;
    this.#reader = manners.reader;
    this.#openWriter = manners.openWriter;
    // Whoever has none owes none: its leg is not kept ticking for it.
    if (manners.hasTail === true) this.writeTail = () => this.#writer?.tail?.();
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
    return this.#writer?.flush?.();
  }

  writeStarted(): WireMessage | undefined {
    return this.#writer?.started?.();
  }

  writeMark(name: string): WireMessage | undefined {
    return this.#writer?.mark?.(name);
  }

  writeClear(): WireMessage | undefined {
    return this.#writer?.clear?.();
  }

  writeEnd(): WireMessage | undefined {
    return this.#writer?.end?.();
  }

  // Providers of this family have no words for the rest.
  writeDtmf(): undefined {}
  writeEvent(): undefined {}
  writeAnswer(): undefined {}
  writeGoaway(): undefined {}
}
