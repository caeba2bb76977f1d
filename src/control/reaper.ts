import type { Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import { durationMsOf, type CallView } from '../events/call-view.ts';
import { completedFields } from '../events/completion.ts';
import type { CallEndReason, CallEventType } from '../events/catalogue.ts';
import { API_VERSION, type EventRecord } from '../events/envelope.ts';

/**
 * The last events of a call whose node is gone and that nobody resumed: each leg that was still there
 * disconnects, then
 * exactly one `call_ended` and one `call_completed`. Numbering goes on from what the journal has seen, so a
 * call that
 * had told its own end already is only completed.
 */
export function lastEventsOf(call: CallView, reason: CallEndReason, clock: Clock): readonly EventRecord[] {
  const at = new Date(clock.unixMs()).toISOString();
  const stamps = { receivedAtMs: clock.nowMs(), decidedAtMs: clock.nowMs() };
  const legs = call.legs.map((leg) =>
    leg.disconnected_at === null ? { ...leg, disconnected_at: at, reason: 'node_lost' } : leg,
  );
  let sequence = call.sequence;
  const seal = (type: CallEventType, state: string, own: JsonObject): EventRecord => ({
    envelope: {
      id: newId('evt', clock),
      type,
      api_version: API_VERSION,
      created_at: at,
      workspace_id: call.workspace_id,
      resource: { type: 'call', id: call.id },
      sequence: ++sequence,
      region: call.region,
      test_mode: call.test_mode,
      data: { ...call.head, state, ...own },
    },
    stamps,
  });
  const endReason = (call.end_reason ?? reason) as CallEndReason;
  const durationMs = durationMsOf(call, call.ended_at ?? at);
  const records = call.legs
    .filter((leg) => leg.disconnected_at === null)
    .map(({ leg_id, role, dialect, codec }) =>
      seal('leg_disconnected', 'ending', { leg_id, role, dialect, codec, reason: 'node_lost' }),
    );
  if (call.ended_at === null) {
    records.push(seal('call_ended', 'ended', { duration_ms: durationMs, reason: endReason }));
  }
  const timeline = [
    ...call.timeline,
    ...records.map(({ envelope: e }) => ({ sequence: e.sequence, type: e.type, at })),
  ];
  const facts = { durationMs, reason: endReason, talkMs: {}, quality: call.quality, legs, timeline };
  records.push(seal('call_completed', 'ended', completedFields(facts)));
  return records;
}
