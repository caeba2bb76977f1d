import type { MediaWords } from '../json-media/words.ts';

/**
 * Voximplant's words for audio, the same both ways. `chunk` and `timestamp` are those of RTP, only wider:
 * what is lost before it leaves a hole, and time counts in samples.
 */
export const VOXIMPLANT_WORDS: MediaWords = {
  kindKey: 'event',
  kinds: ['media'],
  container: 'media',
  payload: 'payload',
  sequence: 'chunk',
  timestamp: 'timestamp',
  track: null,
  tracks: [],
};
