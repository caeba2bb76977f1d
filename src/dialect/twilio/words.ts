import type { MediaWords } from '../json-media/words.ts';

/**
 * Twilio's words for audio. Its numbers are not taken: TCP already keeps the order, `sequenceNumber` counts
 * messages of every kind, so that each mark and digit would look like lost audio, and whether `chunk` counts
 * per stream or per track is not documented. Media says `inbound`, DTMF `inbound_track`.
 */
export const TWILIO_WORDS: MediaWords = {
  kindKey: 'event',
  kinds: ['media'],
  container: 'media',
  payload: 'payload',
  sequence: null,
  timestamp: 'timestamp',
  track: 'track',
  tracks: ['inbound', 'inbound_track'],
};
