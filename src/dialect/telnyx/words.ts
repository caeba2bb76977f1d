import type { MediaWords } from '../json-media/words.ts';

/** Telnyx' words for audio from the call. The order of its messages is not guaranteed: `chunk` tells it. */
export const TELNYX_WORDS: MediaWords = {
  kindKey: 'event',
  kinds: ['media'],
  container: 'media',
  payload: 'payload',
  sequence: 'chunk',
  timestamp: 'timestamp',
  track: 'track',
  tracks: ['inbound', 'inbound_track'],
};

/** Its words for audio into the call: in the order they come. */
export const TELNYX_PLAY_WORDS: MediaWords = {
  ...TELNYX_WORDS,
  sequence: null,
  timestamp: null,
  track: null,
};

/** The header of the upgrade, and the key of `connected`, that carry `stream_auth_token`. */
export const TOKEN_WORD = 'x-telnyx-streaming-auth-token';
