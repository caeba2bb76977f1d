import type { MediaWords } from '../json-media/words.ts';

/** Plivo's words for audio from the call: numbers are bare, `timestamp` is a text of epoch milliseconds. */
export const PLIVO_WORDS: MediaWords = {
  kindKey: 'event',
  kinds: ['media'],
  container: 'media',
  payload: 'payload',
  sequence: null,
  timestamp: 'timestamp',
  track: 'track',
  tracks: ['inbound'],
};

/** Its words for audio into the call. */
export const PLIVO_PLAY_WORDS: MediaWords = {
  ...PLIVO_WORDS,
  kinds: ['playAudio'],
  timestamp: null,
  track: null,
};
