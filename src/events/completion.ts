import type { JsonObject } from '../base/json.ts';
import type { LegRole } from '../base/roles.ts';
import type { CallEndReason, LegSummary } from './catalogue.ts';
import type { TimelineEntry } from './call-view.ts';
import type { CallCost } from './cost.ts';

/** One party's share of a call. */
export interface PartyShare {
  readonly leg_id: string;
  readonly role: LegRole;
  /** Voiced milliseconds. */
  readonly talk_ms: number;
  /** How often it spoke over an agent. */
  readonly interruptions: number;
}

/** Where a transcript is, and how long it is. */
export interface TranscriptLink {
  readonly url: string;
  readonly segments: number;
}

/** What is known of a call when it is over. */
export interface CompletionFacts {
  readonly durationMs: number;
  readonly reason: CallEndReason;
  /** Voiced milliseconds by role. */
  readonly talkMs: { readonly [role: string]: number };
  readonly quality: JsonObject;
  readonly legs: readonly LegSummary[];
  readonly timeline: readonly TimelineEntry[];
  readonly parties: readonly PartyShare[];
  readonly cost: CallCost | null;
  readonly disposition: string | null;
  readonly qualification: object | null;
  /** Null where nobody wrote down a word. */
  readonly transcript: TranscriptLink | null;
  readonly recordings: readonly object[];
}

/**
 * The own fields of `call_completed` (contract.md §5.2). What nobody measured is null, never a guess;
 * sentiment and summary come with `call_analyzed`.
 */
export function completedFields(facts: CompletionFacts): JsonObject {
  return {
    duration_ms: facts.durationMs,
    reason: facts.reason,
    talk_ms: facts.talkMs,
    parties: facts.parties,
    cost: facts.cost,
    disposition: facts.disposition,
    qualification: facts.qualification,
    sentiment: null,
    summary: null,
    transcript: facts.transcript,
    recordings: facts.recordings,
    quality: facts.quality,
    legs: facts.legs,
    timeline: facts.timeline,
  };
}

/** Where the transcript of a call can be read. */
export function transcriptUrl(publicUrl: string, callId: string): string {
  return `${publicUrl}/api/v1/calls/${callId}/transcript`;
}
