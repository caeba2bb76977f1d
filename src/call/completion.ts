import { isObject, numberOf, type JsonObject } from '../base/json.ts';
import type { TimelineEntry } from '../events/call-view.ts';
import type { CallEndReason } from '../events/catalogue.ts';
import { completedFields, type PartyShare, type TranscriptLink } from '../events/completion.ts';
import { costOf } from '../events/cost.ts';
import type { Call } from './call.ts';
import type { CallPart } from './call-part.ts';
import type { CallNotes } from './notes.ts';
import { qualityOf } from './quality.ts';

/** Own fields of `call_completed`: what was measured, what was noted, and what the call's parts know. */
export function completionOf(
  { roster, legs, notes, clock, durationMs, facts, ports }: Call,
  how: {
    readonly parts: readonly CallPart[];
    readonly timeline: readonly TimelineEntry[];
    readonly reason: CallEndReason;
  },
): JsonObject {
  const ofParts: JsonObject = Object.assign({}, ...how.parts.map((part) => part.completion?.() ?? {}));
  const { direction, agentId } = facts;
  const measured = completedFields({
    durationMs,
    reason: how.reason,
    talkMs: roster.talkMs(),
    parties: roster.all.map((member) => shareOf(member, ofParts['interruptions'])),
    cost: costOf(ports.postCall?.rates, { direction, agentId, durationMs }),
    disposition: notes.disposition?.disposition ?? null,
    qualification: qualificationOf(notes),
    transcript: transcriptOf(notes, ports.postCall?.transcriptUrl(facts.id)),
    recordings: [],
    quality: Object.fromEntries(legs.map((leg) => [leg.id, qualityOf(leg, clock.nowMs())])),
    legs: roster.all.map(({ summary }) => summary),
    timeline: how.timeline,
  });
  return { ...measured, ...ofParts };
}

function shareOf(
  { summary, talkMs }: Pick<Call['roster']['all'][number], 'summary' | 'talkMs'>,
  interruptions: unknown,
): PartyShare {
  const { leg_id, role } = summary;
  const times = isObject(interruptions) ? (numberOf(interruptions[leg_id]) ?? 0) : 0;
  return { leg_id, role, talk_ms: talkMs, interruptions: times };
}

function qualificationOf({ qualification }: CallNotes): object | null {
  if (qualification === null) return null;
  const { score, threshold, criteria, isMet: met } = qualification;
  return { score, threshold, criteria, met };
}

/** Null where nobody wrote down a word, or nobody knows where it can be read. */
function transcriptOf({ transcript, stats }: CallNotes, url: string | undefined): TranscriptLink | null {
  const segments = transcript.length + stats.forgottenSegments;
  return segments === 0 || url === undefined ? null : { url, segments };
}
