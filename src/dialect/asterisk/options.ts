import type { DialectOption } from '../capabilities.ts';

/** Marks are newer than the rest of the protocol. */
export const MARKS: DialectOption = {
  name: 'marks',
  values: ['mark_media', 'stop_media_buffering', 'none'],
  fallback: 'mark_media',
  meaning:
    'How played audio is asked for: `MARK_MEDIA`, or `STOP_MEDIA_BUFFERING`, which versions before it know too. ' +
    'An unknown command is never answered. `none` where the dial string has `p`: marks by played time.',
};

/** `n` in the dial string leaves it to us to answer the channel. */
export const ANSWER: DialectOption = {
  name: 'answer',
  values: ['no', 'yes'],
  fallback: 'no',
  meaning: 'Say `ANSWER` at the start, where the dial string has `n`.',
};

/** Asterisk 22.9.0 repeats what `v()` named on later calls that named nothing. */
export const URI_PARAMETERS: DialectOption = {
  name: 'uri_parameters',
  values: ['no', 'yes'],
  fallback: 'no',
  meaning:
    'Take the query of the URL (`v()` of the dial string) as parameters of the call. Where some calls name none, ' +
    'Asterisk 22.9 repeats those of an earlier one: prefer channel variables with `f(json)`.',
};
