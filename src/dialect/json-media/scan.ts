import { decodePlainBase64Into } from '../../base/base64.ts';
import type { Inbound } from '../dialect.ts';
import { MediaPattern, noPlaces, type MediaPlaces } from './pattern.ts';
import { digitsEnd, isWord, scalarEnd, skipBlanks, stringEnd } from './scalars.ts';
import { wordBytesOf, type MediaWordBytes, type MediaWords } from './words.ts';

/** What a look at the bytes found. `unusual`: not surely a plain audio message; ask the strict parser. */
export type Scanned = 'audio' | 'other_track' | 'unusual';

const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Digits a counter may have and still be exact in a double. */
const DIGITS_MAX = 15;

/**
 * Reads an audio message without making a string or an object. It knows just enough JSON to be sure that the
 * strict parser would find the same; whatever it does not know, it leaves to that parser.
 */
export class MediaScan {
  readonly #words: MediaWordBytes;
  readonly #pattern = new MediaPattern();
  readonly #found = noPlaces();
  #isMedia = false;
  #hasContainer = false;
  #hasTrack = false;

  constructor(words: MediaWords) {
    this.#words = wordBytesOf(words);
  }

  scan(message: Uint8Array, into: Inbound): Scanned {
    if (this.#pattern.fits(message)) return decode(message, this.#pattern.places, into);
    if (!this.#find(message)) return 'unusual';
    const scanned = decode(message, this.#found, into);
    if (scanned !== 'unusual') this.#pattern.learn(message, this.#found);
    return scanned;
  }

  #find(message: Uint8Array): boolean {
    this.#isMedia = false;
    this.#hasContainer = this.#words.container === null;
    this.#hasTrack = false;
    this.#found.isOurs = true;
    this.#found.timestampStart = -1;
    this.#found.sequenceStart = -1;
    this.#found.payloadStart = -1;
    const end = this.#readObject(message, skipBlanks(message, 0), false);
    if (end < 0 || skipBlanks(message, end) !== message.length) return false;
    return this.#isMedia && this.#hasContainer && this.#found.payloadStart >= 0;
  }

  /** The position behind the object that begins at `from`, or -1. */
  #readObject(message: Uint8Array, from: number, isInner: boolean): number {
    if (message[from] !== OPEN) return -1;
    let at = from;
    do {
      const keyStart = skipBlanks(message, at + 1);
      if (message[keyStart] !== QUOTE) return -1;
      const keyEnd = stringEnd(message, keyStart + 1);
      if (keyEnd < 0) return -1;
      at = skipBlanks(message, keyEnd + 1);
      if (message[at] !== COLON) return -1;
      at = skipBlanks(message, at + 1);
      at = isInner
        ? this.#readAudio(message, keyStart + 1, keyEnd, at)
        : this.#readOuter(message, keyStart + 1, keyEnd, at);
      if (at < 0) return -1;
      at = skipBlanks(message, at);
    } while (message[at] === COMMA);
    return message[at] === CLOSE ? at + 1 : -1;
  }

  #readOuter(message: Uint8Array, keyStart: number, keyEnd: number, at: number): number {
    const { kindKey, container } = this.#words;
    if (isWord(message, keyStart, keyEnd, kindKey)) return this.#readKind(message, at);
    if (container === null) return this.#readAudio(message, keyStart, keyEnd, at);
    if (!isWord(message, keyStart, keyEnd, container)) return scalarEnd(message, at);
    if (this.#hasContainer) return -1;
    this.#hasContainer = true;
    return this.#readObject(message, at, true);
  }

  #readKind(message: Uint8Array, at: number): number {
    const end = message[at] === QUOTE ? stringEnd(message, at + 1) : -1;
    if (this.#isMedia || end < 0 || !isOneOf(message, at + 1, end, this.#words.kinds)) return -1;
    this.#isMedia = true;
    return end + 1;
  }

  #readAudio(message: Uint8Array, keyStart: number, keyEnd: number, at: number): number {
    const { payload, timestamp, sequence, track } = this.#words;
    if (isWord(message, keyStart, keyEnd, payload)) return this.#readPayload(message, at);
    if (timestamp !== null && isWord(message, keyStart, keyEnd, timestamp)) {
      return this.#readTimestamp(message, at);
    }
    if (track !== null && isWord(message, keyStart, keyEnd, track)) return this.#readTrack(message, at);
    if (sequence !== null && isWord(message, keyStart, keyEnd, sequence)) {
      return this.#readSequence(message, at);
    }
    return scalarEnd(message, at);
  }

  // Base64 is looked at once, by its decoder; here it only has to end.
  #readPayload(message: Uint8Array, at: number): number {
    if (this.#found.payloadStart >= 0 || message[at] !== QUOTE) return -1;
    const end = message.indexOf(QUOTE, at + 1);
    if (end < 0) return -1;
    this.#found.payloadStart = at + 1;
    this.#found.payloadEnd = end;
    return end + 1;
  }

  #readTrack(message: Uint8Array, at: number): number {
    const end = message[at] === QUOTE ? stringEnd(message, at + 1) : -1;
    if (this.#hasTrack || end < 0) return -1;
    this.#hasTrack = true;
    this.#found.isOurs = isOneOf(message, at + 1, end, this.#words.tracks);
    return end + 1;
  }

  #readTimestamp(message: Uint8Array, at: number): number {
    if (this.#found.timestampStart >= 0) return -1;
    const isText = message[at] === QUOTE;
    const end = counterEnd(message, at, isText);
    if (end < 0) return -1;
    this.#found.timestampStart = isText ? at + 1 : at;
    this.#found.timestampEnd = end;
    return isText ? end + 1 : end;
  }

  #readSequence(message: Uint8Array, at: number): number {
    if (this.#found.sequenceStart >= 0) return -1;
    const isText = message[at] === QUOTE;
    const end = counterEnd(message, at, isText);
    if (end < 0) return -1;
    this.#found.sequenceStart = isText ? at + 1 : at;
    this.#found.sequenceEnd = end;
    return isText ? end + 1 : end;
  }
}

/** Behind the digits of a counter, as text or bare, or -1 where it is none that is exact. */
function counterEnd(message: Uint8Array, at: number, isText: boolean): number {
  const start = isText ? at + 1 : at;
  const end = digitsEnd(message, start, isText);
  if (end < 0 || end - start > DIGITS_MAX) return -1;
  return !isText || message[end] === QUOTE ? end : -1;
}

/** The last look: base64 that is not plain is left to the strict parser, too. */
function decode(message: Uint8Array, places: MediaPlaces, into: Inbound): Scanned {
  // Blanks inside it are the parser's to judge: a raw line break is no JSON.
  const written = decodePlainBase64Into(message, places.payloadStart, places.payloadEnd, into.payload);
  if (written < 0) return 'unusual';
  // The payload of another track is decoded too: only then is it sure that its quotes are its ends.
  if (!places.isOurs) return 'other_track';
  into.payloadBytes = written;
  const sequence = counterAt(message, places.sequenceStart, places.sequenceEnd);
  into.sequence = sequence < 0 ? -1 : sequence & 0xffff;
  into.timestampMs = counterAt(message, places.timestampStart, places.timestampEnd);
  return 'audio';
}

function counterAt(message: Uint8Array, start: number, end: number): number {
  if (start < 0) return -1;
  let value = 0;
  for (let i = start; i < end; i++) value = value * 10 + (message[i]! - ZERO);
  return value;
}

function isOneOf(message: Uint8Array, start: number, end: number, words: readonly Uint8Array[]): boolean {
  for (let i = 0; i < words.length; i++) if (isWord(message, start, end, words[i]!)) return true;
  return false;
}
