import { decodeBase64Into } from '../../base/base64.ts';
import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, numberOf, type JsonObject } from '../../base/json.ts';
import { AUDIO, IGNORED, type Inbound } from '../dialect.ts';
import type { MediaWords } from './words.ts';

/**
 * The strict reading of an audio message, for whatever the scan would not vouch for: base64 may be broken by
 * blanks and lack its padding (dialects.md §0.4). The kind of the message was looked at before.
 */
export function readMediaStrictly(
  message: JsonObject,
  words: MediaWords,
  into: Inbound,
): typeof AUDIO | typeof IGNORED | Refusal {
  const media = words.container === null ? message : message[words.container];
  if (!isObject(media)) return refuse('protocol_violation', `${words.container} is not an object`);
  if (words.track !== null && !isOurTrack(media[words.track], words)) return IGNORED;
  const payload = media[words.payload];
  if (typeof payload !== 'string') return refuse('protocol_violation', `${placeOf(words)} is not text`);
  const characters = Buffer.from(payload);
  const written = decodeBase64Into(characters, 0, characters.length, into.payload);
  if (written < 0) return refusePayload(characters.length, words, into);
  if (written === 0) return IGNORED;
  const sequence = words.sequence === null ? -1 : counterOf(media[words.sequence]);
  into.payloadBytes = written;
  into.sequence = sequence < 0 ? -1 : sequence & 0xffff;
  into.timestampMs = words.timestamp === null ? -1 : counterOf(media[words.timestamp]);
  return AUDIO;
}

/** Whether this track is the caller's; a stream of one track may say nothing. */
export function isOurTrack(track: unknown, { tracks }: MediaWords): boolean {
  return track === undefined || track === null || tracks.some((ours) => ours === track);
}

function refusePayload(characters: number, words: MediaWords, into: Inbound): Refusal {
  return (characters / 4) * 3 > into.payload.length
    ? refuse('frame_too_large', `${placeOf(words)} of ${characters} characters`)
    : refuse('protocol_violation', `${placeOf(words)} is not base64`);
}

function placeOf({ container, payload }: MediaWords): string {
  return container === null ? payload : `${container}.${payload}`;
}

/** A whole number that is not negative, as text or bare; -1 for anything else. */
function counterOf(given: unknown): number {
  const value = numberOf(given);
  return value !== undefined && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? Math.trunc(value) : -1;
}
