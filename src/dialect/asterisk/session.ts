import { invariant } from '../../base/errors.ts';
import { BinarySession } from '../binary-media/session.ts';
import { ShortMarks } from '../binary-media/short-marks.ts';
import type { SessionOptions } from '../dialect.ts';
import { AsteriskReader } from './read.ts';
import { openAsteriskWriter } from './write.ts';

/**
 * `HANGUP` takes effect, and Asterisk closes with 1000: our own close first would be seen as a lost line.
 */
const END_GRACE_MS = 1_000;

/** Our end of one media WebSocket of Asterisk, whoever dialled it. */
export function openAsteriskSession(options: Pick<SessionOptions, 'upgrade' | 'options'>): BinarySession {
  const marks = new ShortMarks();
  const reader = new AsteriskReader(options, marks);
  return new BinarySession({
    reader,
    openWriter: (started) => {
      const { line } = reader;
      invariant(line !== undefined, 'the start has been read');
      return openAsteriskWriter(started, { line, marks, options: options.options });
    },
    endGraceMs: END_GRACE_MS,
  });
}
