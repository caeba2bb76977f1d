import type { MediaWords } from '../json-media/words.ts';

const CHUNK = {
  kindKey: 'type',
  container: null,
  payload: 'audioChunk',
  sequence: null,
  timestamp: null,
};

/** The caller's audio. Only agent assist names participants, and sends each by itself. */
export const USER_WORDS: MediaWords = {
  ...CHUNK,
  kinds: ['userStream.chunk'],
  track: 'participant',
  tracks: ['caller'],
};

/** Audio to be played. */
export const PLAY_WORDS: MediaWords = { ...CHUNK, kinds: ['playStream.chunk'], track: null, tracks: [] };
