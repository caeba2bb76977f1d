import type { TranscriptSegment } from '../../../events/call-commands/transcript.ts';
import { wordsOf } from '../spoken-words.ts';

/** A sentence somebody said. */
export interface Sentence {
  readonly speaker: string;
  readonly text: string;
}

/** Ranking is quadratic: 120 sentences of 20 words take a tenth of a second, 1000 would take ten. */
export const SENTENCES_MAX = 120;
const CHARACTERS_MAX = 300;
/** Shorter ones, "yes" and "one moment please", sum nothing up. */
const WORDS_MIN = 4;

/** The sentences of a call that may sum it up; of a long one, some from everywhere in it. */
export function sentencesOf(
  segments: readonly TranscriptSegment[],
  sentencesMax = SENTENCES_MAX,
): readonly Sentence[] {
  const found: Sentence[] = [];
  for (const { speaker, text } of segments) {
    for (const part of text.split(/(?<=[.!?…。！？])\s+|\n+/u)) {
      const plain = plainOf(part);
      if (wordsOf(plain).length >= WORDS_MIN) found.push({ speaker, text: plain });
    }
  }
  if (found.length <= sentencesMax) return found;
  return Array.from(
    { length: sentencesMax },
    (_, i) => found[Math.floor((i * found.length) / sentencesMax)]!,
  );
}

// Runs of blanks and commas cost the ranking's own pattern quadratic time, and a bar is its separator.
function plainOf(text: string): string {
  const plain = text
    .replaceAll('|', ' ')
    .replaceAll(/[\s,]{2,}/gu, (run) => (run.includes(',') ? ', ' : ' '));
  return plain.trim().slice(0, CHARACTERS_MAX);
}
