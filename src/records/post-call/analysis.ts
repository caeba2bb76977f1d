import type { AnalyserVerdict } from './analyser.ts';
import { sentimentOf, type Sentiment } from './sentiment.ts';
import { languageOf } from './spoken-words.ts';
import type { Summary } from './summary/summary-desk.ts';
import type { Transcript } from './transcript.ts';

/** Who measured something, or why nobody did. */
export type Measured =
  | { readonly method: 'http' | 'afinn-165' | 'lexrank'; readonly reason: null }
  | { readonly method: null; readonly reason: 'no_transcript' | 'language' | 'too_little' };

/** What the analyser was worth; null where none is configured, or nothing was asked. */
export interface AnalyserOutcome {
  readonly outcome: 'answered' | 'given_up';
  readonly attempts: number;
  readonly error: string | null;
}

/** What `call_analyzed` fills in. */
export interface Analysis {
  readonly sentiment: Sentiment | null;
  readonly summary: Summary | null;
  readonly analysis: {
    readonly language: string | null;
    readonly sentiment: Measured;
    readonly summary: Measured;
    readonly analyser: AnalyserOutcome | null;
  };
}

/** Sums up in a call's own words. */
export interface Summarizer {
  summaryOf(segments: Transcript['segments']): Promise<Summary | null>;
}

const NOTHING_SAID: Measured = { method: null, reason: 'no_transcript' };

/** Without a transcript nothing can be said: null, never a guess. */
export const UNHEARD: Analysis = {
  sentiment: null,
  summary: null,
  analysis: { language: null, sentiment: NOTHING_SAID, summary: NOTHING_SAID, analyser: null },
};

/** The language of a call: what its agent speaks, else what its words sound like. */
export function spokenIn({ segments }: Transcript, agentLanguage: string | null): string | null {
  return agentLanguage ?? languageOf(segments.map(({ text }) => text));
}

/** Puts together what the analyser has said and what it left to us. */
export async function analysed(
  transcript: Transcript,
  heard: {
    readonly language: string | null;
    readonly verdict: AnalyserVerdict | undefined;
    readonly attempts: number;
    readonly summarizer: Summarizer;
  },
): Promise<Analysis> {
  const { language, verdict, attempts, summarizer } = heard;
  const answer = verdict?.type === 'answered' ? verdict.answer : undefined;
  const sentiment = answer?.sentiment ?? (isEnglish(language) ? sentimentOf(transcript.segments) : null);
  const summary = answer?.summary ?? (await summarizer.summaryOf(transcript.segments));
  return {
    sentiment,
    summary,
    analysis: {
      language,
      sentiment: measured(sentiment, 'language'),
      summary: measured(summary, 'too_little'),
      analyser: verdict === undefined ? null : outcomeOf(verdict, attempts),
    },
  };
}

// `en`, `en-GB`, `en_US`: the word list is English.
function isEnglish(language: string | null): boolean {
  return language !== null && /^en(?![a-z])/i.test(language);
}

function measured(
  result: { readonly method: 'http' | 'afinn-165' | 'lexrank' } | null,
  reason: 'language' | 'too_little',
): Measured {
  return result === null ? { method: null, reason } : { method: result.method, reason: null };
}

function outcomeOf(verdict: AnalyserVerdict, attempts: number): AnalyserOutcome {
  if (verdict.type === 'answered') return { outcome: 'answered', attempts, error: null };
  return { outcome: 'given_up', attempts, error: verdict.error };
}
