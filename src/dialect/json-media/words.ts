import { invariant } from '../../base/errors.ts';

/** The words of one provider for audio that travels as base64 inside JSON. None of them holds a digit. */
export interface MediaWords {
  /** The key that tells messages apart: `event`, `eventType`, `type`, `kind`. */
  readonly kindKey: string;
  /** What stands behind it where the message is audio; several where versions differ. */
  readonly kinds: readonly string[];
  /** The key of the object that holds the rest; null where all of it is at the top level. */
  readonly container: string | null;
  readonly payload: string;
  /** The key of the audio's own number; null where the wire has none or it cannot be trusted. */
  readonly sequence: string | null;
  /** The key of the media clock in milliseconds; null where there is none. */
  readonly timestamp: string | null;
  /** The key of the track; null where there is one track only. */
  readonly track: string | null;
  /** The tracks that are the caller's; a message that names none is the caller's, too. */
  readonly tracks: readonly string[];
}

/** The same words as bytes, to be compared where they lie. */
export interface MediaWordBytes {
  readonly kindKey: Uint8Array;
  readonly kinds: readonly Uint8Array[];
  readonly container: Uint8Array | null;
  readonly payload: Uint8Array;
  readonly sequence: Uint8Array | null;
  readonly timestamp: Uint8Array | null;
  readonly track: Uint8Array | null;
  readonly tracks: readonly Uint8Array[];
}

/** Words as bytes. Throws where a word holds what a pattern may not compare: a digit, an escape. */
export function wordBytesOf(words: MediaWords): MediaWordBytes {
  const bytesOf = (word: string): Uint8Array => {
    // A pattern lets any digit stand for any other, so that a word with one would be another word.
    invariant(/^[A-Za-z._:-]+$/.test(word), `${word} is no word of plain letters`);
    return Buffer.from(word);
  };
  const orNull = (word: string | null): Uint8Array | null => (word === null ? null : bytesOf(word));
  return {
    kindKey: bytesOf(words.kindKey),
    kinds: words.kinds.map(bytesOf),
    container: orNull(words.container),
    payload: bytesOf(words.payload),
    sequence: orNull(words.sequence),
    timestamp: orNull(words.timestamp),
    track: orNull(words.track),
    tracks: words.tracks.map(bytesOf),
  };
}
