import type { DialectOption } from '../capabilities.ts';

/** Marks are newer than the rest of the protocol. */
export const MARKS: DialectOption = {
  name: 'marks',
  values: ['mark_media', 'stop_media_buffering', 'none'],
  fallback: 'mark_media',
  meaning:
    'How it is asked what was played: `MARK_MEDIA`, or `STOP_MEDIA_BUFFERING`, which older versions know ' +
    'too; what they do not know they never answer. `none` where the dial string has `p`: by played time.',
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
    'Take the query of the URL (`v()` of the dial string) as parameters of the call. Asterisk 22.9 repeats ' +
    'those of an earlier call where a later one names none: prefer channel variables with `f(json)`.',
};
