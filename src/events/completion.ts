import type { JsonObject } from '../base/json.ts';
import type { CallEndReason, LegSummary } from './catalogue.ts';
import type { TimelineEntry } from './call-view.ts';

/** What is known of a call when it is over. */
export interface CompletionFacts {
  readonly durationMs: number;
  readonly reason: CallEndReason;
  /** Voiced milliseconds by role. */
  readonly talkMs: { readonly [role: string]: number };
  readonly quality: JsonObject;
  readonly legs: readonly LegSummary[];
  readonly timeline: readonly TimelineEntry[];
}

/**
 * The own fields of `call_completed` (contract.md §5.2). What nobody measured is null, never a guess: cost,
 * disposition,
 * qualification, sentiment and transcript are filled by those who know them.
 */
export function completedFields(facts: CompletionFacts): JsonObject {
  return {
    duration_ms: facts.durationMs,
    reason: facts.reason,
    talk_ms: facts.talkMs,
    cost: null,
    disposition: null,
    qualification: null,
    sentiment: null,
    transcript: null,
    recordings: [],
    quality: facts.quality,
    legs: facts.legs,
    timeline: facts.timeline,
  };
}
