import { decodePlainBase64Into } from '../../../base/base64.ts';
import type { Inbound } from '../../dialect.ts';
import { isWord, scalarEnd, skipBlanks, stringEnd } from '../../json-media/scalars.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const TYPE = Buffer.from('type');
const DELTA = Buffer.from('delta');
const ITEM_ID = Buffer.from('item_id');
const RESPONSE_ID = Buffer.from('response_id');
/** GA and beta. */
const KINDS = ['response.output_audio.delta', 'response.audio.delta'].map((kind) => Buffer.from(kind));

/** Where a text lies within a message: its first byte, and the one behind its last. */
export interface Place {
  start: number;
  end: number;
}

/**
 * Reads the audio of one `response.output_audio.delta` without a string or an object: the message is flat,
 * and holds plain texts and numbers only. Whatever it is not sure of, it leaves to the parser.
 */
export class DeltaScan {
  readonly itemId: Place = { start: -1, end: -1 };
  readonly responseId: Place = { start: -1, end: -1 };
  readonly #delta: Place = { start: -1, end: -1 };
  #isAudio = false;

  /** Whether the message is audio: then its bytes are in `into`, and whose they are is in the places. */
  scan(message: Uint8Array, into: Inbound): boolean {
    this.#isAudio = false;
    forget(this.itemId);
    forget(this.responseId);
    forget(this.#delta);
    const end = this.#readObject(message, skipBlanks(message, 0));
    if (end < 0 || skipBlanks(message, end) !== message.length) return false;
    return this.#isAudio && this.#delta.start >= 0 && this.#decode(message, into);
  }

  #readObject(message: Uint8Array, from: number): number {
    if (message[from] !== OPEN) return -1;
    let at = from;
    do {
      const keyStart = skipBlanks(message, at + 1);
      if (message[keyStart] !== QUOTE) return -1;
      const keyEnd = stringEnd(message, keyStart + 1);
      if (keyEnd < 0) return -1;
      at = skipBlanks(message, keyEnd + 1);
      if (message[at] !== COLON) return -1;
      at = this.#readMember(message, keyStart + 1, keyEnd, skipBlanks(message, at + 1));
      if (at < 0) return -1;
      at = skipBlanks(message, at);
    } while (message[at] === COMMA);
    return message[at] === CLOSE ? at + 1 : -1;
  }

  #readMember(message: Uint8Array, keyStart: number, keyEnd: number, at: number): number {
    if (isWord(message, keyStart, keyEnd, TYPE)) return this.#readKind(message, at);
    if (isWord(message, keyStart, keyEnd, DELTA)) return this.#readDelta(message, at);
    if (isWord(message, keyStart, keyEnd, ITEM_ID)) return readText(message, at, this.itemId);
    if (isWord(message, keyStart, keyEnd, RESPONSE_ID)) return readText(message, at, this.responseId);
    return scalarEnd(message, at);
  }

  // Said twice, the parser would believe the later one.
  #readKind(message: Uint8Array, at: number): number {
    const end = message[at] === QUOTE && !this.#isAudio ? stringEnd(message, at + 1) : -1;
    if (end < 0) return -1;
    for (let i = 0; i < KINDS.length; i++) if (isWord(message, at + 1, end, KINDS[i]!)) this.#isAudio = true;
    return this.#isAudio ? end + 1 : -1;
  }

  #readDelta(message: Uint8Array, at: number): number {
    if (this.#delta.start >= 0 || message[at] !== QUOTE) return -1;
    const end = message.indexOf(QUOTE, at + 1);
    if (end < 0) return -1;
    this.#delta.start = at + 1;
    this.#delta.end = end;
    return end + 1;
  }

  /** Base64 is looked at once, by its decoder; what is not plain is left to the parser. */
  #decode(message: Uint8Array, into: Inbound): boolean {
    const written = decodePlainBase64Into(message, this.#delta.start, this.#delta.end, into.payload);
    if (written < 0) return false;
    into.payloadBytes = written;
    into.sequence = -1;
    into.timestampMs = -1;
    return true;
  }
}

function readText(message: Uint8Array, at: number, place: Place): number {
  if (message[at] !== QUOTE || place.start >= 0) return -1;
  const end = stringEnd(message, at + 1);
  if (end < 0) return -1;
  place.start = at + 1;
  place.end = end;
  return end + 1;
}

function forget(place: Place): void {
  place.start = -1;
  place.end = -1;
}
