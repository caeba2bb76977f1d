import type { MediaWords } from '../json-media/words.ts';

/** Exotel's words for audio. It names no track; TCP keeps the order. */
export const EXOTEL_WORDS: MediaWords = {
  kindKey: 'event',
  kinds: ['media'],
  container: 'media',
  payload: 'payload',
  sequence: null,
  timestamp: 'timestamp',
  track: null,
  tracks: [],
};
