import { decodeBase64Into } from '../../base/base64.ts';
import type { Inbound } from '../dialect.ts';
import { MediaPattern, type MediaPlaces } from './pattern.ts';

/** What a look at the bytes found. `unusual`: not surely a plain `media` message; ask the strict parser. */
export type Scanned = 'audio' | 'other_track' | 'unusual';

const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const PAD = 0x3d;

const EVENT = Buffer.from('event');
const MEDIA = Buffer.from('media');
const TRACK = Buffer.from('track');
const PAYLOAD = Buffer.from('payload');
const TIMESTAMP = Buffer.from('timestamp');
const INBOUND = Buffer.from('inbound');
const INBOUND_TRACK = Buffer.from('inbound_track');

/** Digits a counter may have and still be exact in a double. */
const DIGITS_MAX = 15;

/**
 * Reads a `media` message without making a string or an object. It knows just enough JSON to be sure that the
 * strict parser would find the same; whatever it does not know, it leaves to that parser.
 */
export class MediaScan {
  readonly #pattern = new MediaPattern();
  readonly #found: MediaPlaces = {
    payloadStart: -1,
    payloadEnd: -1,
    timestampStart: -1,
    timestampEnd: -1,
    isInbound: true,
  };
  #isMedia = false;
  #hasMedia = false;
  #hasTrack = false;

  scan(message: Uint8Array, into: Inbound): Scanned {
    if (this.#pattern.fits(message)) return decode(message, this.#pattern.places, into);
    if (!this.#find(message)) return 'unusual';
    const scanned = decode(message, this.#found, into);
    if (scanned !== 'unusual') this.#pattern.learn(message, this.#found);
    return scanned;
  }

  #find(message: Uint8Array): boolean {
    this.#isMedia = false;
    this.#hasMedia = false;
    this.#hasTrack = false;
    this.#found.isInbound = true;
    this.#found.timestampStart = -1;
    this.#found.payloadStart = -1;
    const end = this.#readObject(message, skipBlanks(message, 0), false);
    if (end < 0 || skipBlanks(message, end) !== message.length) return false;
    return this.#isMedia && this.#hasMedia && this.#found.payloadStart >= 0;
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
        ? this.#readInner(message, keyStart + 1, keyEnd, at)
        : this.#readOuter(message, keyStart + 1, keyEnd, at);
      if (at < 0) return -1;
      at = skipBlanks(message, at);
    } while (message[at] === COMMA);
    return message[at] === CLOSE ? at + 1 : -1;
  }

  #readOuter(message: Uint8Array, keyStart: number, keyEnd: number, at: number): number {
    if (isWord(message, keyStart, keyEnd, EVENT)) {
      const end = message[at] === QUOTE ? stringEnd(message, at + 1) : -1;
      if (this.#isMedia || end < 0 || !isWord(message, at + 1, end, MEDIA)) return -1;
      this.#isMedia = true;
      return end + 1;
    }
    if (!isWord(message, keyStart, keyEnd, MEDIA)) return scalarEnd(message, at);
    if (this.#hasMedia) return -1;
    this.#hasMedia = true;
    return this.#readObject(message, at, true);
  }

  #readInner(message: Uint8Array, keyStart: number, keyEnd: number, at: number): number {
    if (isWord(message, keyStart, keyEnd, PAYLOAD)) return this.#readPayload(message, at);
    if (isWord(message, keyStart, keyEnd, TIMESTAMP)) return this.#readTimestamp(message, at);
    if (!isWord(message, keyStart, keyEnd, TRACK)) return scalarEnd(message, at);
    const end = message[at] === QUOTE ? stringEnd(message, at + 1) : -1;
    if (this.#hasTrack || end < 0) return -1;
    this.#hasTrack = true;
    this.#found.isInbound =
      isWord(message, at + 1, end, INBOUND) || isWord(message, at + 1, end, INBOUND_TRACK);
    return end + 1;
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

  #readTimestamp(message: Uint8Array, at: number): number {
    if (this.#found.timestampStart >= 0) return -1;
    const isText = message[at] === QUOTE;
    const start = isText ? at + 1 : at;
    const end = digitsEnd(message, start, isText);
    if (end < 0 || end - start > DIGITS_MAX) return -1;
    this.#found.timestampStart = start;
    this.#found.timestampEnd = end;
    if (!isText) return end;
    return message[end] === QUOTE ? end + 1 : -1;
  }
}

/** The last look: base64 that is not plain is left to the strict parser, too. */
function decode(message: Uint8Array, places: MediaPlaces, into: Inbound): Scanned {
  const { payloadStart, payloadEnd, timestampStart, timestampEnd } = places;
  const characters = payloadEnd - payloadStart;
  if (characters === 0 || (characters & 3) !== 0) return 'unusual';
  const pads = message[payloadEnd - 1] !== PAD ? 0 : message[payloadEnd - 2] !== PAD ? 1 : 2;
  const written = decodeBase64Into(message, payloadStart, payloadEnd, into.payload);
  // Fewer bytes than the length promises means blanks inside, and a raw line break is no JSON.
  if (written !== (characters >> 2) * 3 - pads) return 'unusual';
  // The payload of another track is decoded too: only then is it sure that its quotes are its ends.
  if (!places.isInbound) return 'other_track';
  let timestampMs = timestampStart < 0 ? -1 : 0;
  if (timestampStart >= 0) {
    for (let i = timestampStart; i < timestampEnd; i++) timestampMs = timestampMs * 10 + (message[i]! - ZERO);
  }
  into.payloadBytes = written;
  into.sequence = -1;
  into.timestampMs = timestampMs;
  return 'audio';
}

function skipBlanks(message: Uint8Array, from: number): number {
  let at = from;
  for (let byte = message[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;) {
    byte = message[++at];
  }
  return at;
}

/** The closing quote of a string of printable ASCII without escapes, or -1. */
function stringEnd(message: Uint8Array, from: number): number {
  for (let at = from; at < message.length; at++) {
    const byte = message[at]!;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH || byte < 0x20 || byte > 0x7e) return -1;
  }
  return -1;
}

/** Behind a run of digits, or -1 where there is none. A bare JSON number has no leading zero. */
function digitsEnd(message: Uint8Array, from: number, mayLeadWithZero: boolean): number {
  let at = from;
  while (at < message.length && message[at]! >= ZERO && message[at]! <= NINE) at++;
  if (at === from) return -1;
  return mayLeadWithZero || message[from] !== ZERO || at === from + 1 ? at : -1;
}

/** Behind a plain string or a whole number, or -1 for anything else. */
function scalarEnd(message: Uint8Array, at: number): number {
  if (message[at] !== QUOTE) return digitsEnd(message, at, false);
  const end = stringEnd(message, at + 1);
  return end < 0 ? -1 : end + 1;
}

function isWord(message: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (message[start + i] !== word[i]) return false;
  return true;
}
