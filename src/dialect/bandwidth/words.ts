import type { MediaWords } from '../json-media/words.ts';

/** Bandwidth's words for audio from the call: all at the top level, nothing numbered, nothing timed. */
export const BANDWIDTH_WORDS: MediaWords = {
  kindKey: 'eventType',
  kinds: ['media'],
  container: null,
  payload: 'payload',
  sequence: null,
  timestamp: null,
  track: 'track',
  tracks: ['inbound'],
};

/** Its words for audio into the call. */
export const BANDWIDTH_PLAY_WORDS: MediaWords = {
  ...BANDWIDTH_WORDS,
  kinds: ['playAudio'],
  container: 'media',
  track: null,
};
