import type { JsonObject } from '../base/json.ts';
import type { TimelineEntry } from '../events/call-view.ts';
import type { CallEndReason } from '../events/catalogue.ts';
import { completedFields } from '../events/completion.ts';
import type { Call } from './call.ts';
import type { CallPart } from './call-part.ts';
import { qualityOf } from './quality.ts';

/** Own fields of `call_completed`: what was measured, what was noted, and what the call's parts know. */
export function completionOf(
  { roster, legs, notes, clock, durationMs }: Call,
  how: {
    readonly parts: readonly CallPart[];
    readonly timeline: readonly TimelineEntry[];
    readonly reason: CallEndReason;
  },
): JsonObject {
  const measured = completedFields({
    durationMs,
    reason: how.reason,
    talkMs: roster.talkMs(),
    quality: Object.fromEntries(legs.map((leg) => [leg.id, qualityOf(leg, clock.nowMs())])),
    legs: roster.all.map(({ summary }) => summary),
    timeline: how.timeline,
  });
  const { disposition, qualification } = notes;
  const noted = { disposition: disposition?.disposition ?? null, qualification };
  return Object.assign({}, measured, noted, ...how.parts.map((part) => part.completion?.() ?? {}));
}
