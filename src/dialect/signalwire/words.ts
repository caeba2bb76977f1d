import type { MediaWords } from '../json-media/words.ts';

/** SignalWire's words for audio: Twilio's. Its `chunk` counts per track, but TCP keeps the order anyway. */
export const SIGNALWIRE_WORDS: MediaWords = {
  kindKey: 'event',
  kinds: ['media'],
  container: 'media',
  payload: 'payload',
  sequence: null,
  timestamp: 'timestamp',
  track: 'track',
  tracks: ['inbound', 'inbound_track'],
};
