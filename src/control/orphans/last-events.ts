import type { Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import type { JsonObject } from '../../base/json.ts';
import { durationMsOf, type CallView } from '../../events/call-view.ts';
import type { CallEndReason, CallEventType } from '../../events/catalogue.ts';
import { completedFields, type CompletionFacts } from '../../events/completion.ts';
import { costOf, type CostRates } from '../../events/cost.ts';
import { API_VERSION, type EventRecord } from '../../events/envelope.ts';
import { UNTOLD, type ToldCall } from '../../events/told-call.ts';

/** What a call's last words are made of beside its events. */
export interface PostCall {
  readonly rates: CostRates;
  /** Where the transcript of a call can be read. */
  transcriptUrl(callId: string): string;
}

/** What is told of a call in its owner's place. */
export interface Obituary {
  readonly told: ToldCall;
  readonly postCall?: PostCall | undefined;
}

/** Greater than any owner's token: of a call that was ended in its owner's place nobody tells any more. */
const LAST_FENCE = Number.MAX_SAFE_INTEGER;

/**
 * The last events of a call whose node is gone and that nobody resumed: each leg that was still there
 * disconnects, then exactly one `call_ended` and one `call_completed`. Numbering goes on from what the
 * journal has seen, so a call that had told its own end already is only completed. What a lost host still
 * held of it is refused when it returns.
 */
export function lastEventsOf(
  call: CallView,
  clock: Clock,
  obituary: Obituary = { told: UNTOLD },
): readonly EventRecord[] {
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
    fence: LAST_FENCE,
  });
  const reason = (call.end_reason ?? 'node_lost') as CallEndReason;
  const durationMs = durationMsOf(call, call.ended_at ?? at);
  const records = call.legs
    .filter((leg) => leg.disconnected_at === null)
    .map(({ leg_id, role, dialect, codec }) =>
      seal('leg_disconnected', 'ending', { leg_id, role, dialect, codec, reason: 'node_lost' }),
    );
  if (call.ended_at === null) {
    records.push(seal('call_ended', 'ended', { duration_ms: durationMs, reason }));
  }
  const timeline = [
    ...call.timeline,
    ...records.map(({ envelope: e }) => ({ sequence: e.sequence, type: e.type, at })),
  ];
  const measured = { durationMs, reason, quality: call.quality, legs, timeline };
  const facts = { ...measured, ...toldFacts({ ...call, legs }, durationMs, obituary) };
  records.push(seal('call_completed', 'ended', completedFields(facts)));
  return records;
}

type Told = Omit<CompletionFacts, 'durationMs' | 'reason' | 'quality' | 'legs' | 'timeline'>;

/** What its owner took along is known as far as its events tell it. */
function toldFacts({ id, head, legs }: CallView, durationMs: number, { told, postCall }: Obituary): Told {
  const { direction, agent_id: agentId } = head;
  const parties = legs.map(({ leg_id, role }) => ({
    leg_id,
    role,
    talk_ms: told.talkMs.get(leg_id) ?? 0,
    interruptions: told.interruptions.get(leg_id) ?? 0,
  }));
  const talkMs: { [role: string]: number } = {};
  for (const { role, talk_ms } of parties) talkMs[role] = (talkMs[role] ?? 0) + talk_ms;
  const url = postCall?.transcriptUrl(id);
  const { disposition, qualification, recordings, segments } = told;
  return {
    talkMs,
    parties,
    cost: costOf(postCall?.rates, { direction, agentId, durationMs }),
    disposition,
    qualification,
    transcript: segments === 0 || url === undefined ? null : { url, segments },
    recordings,
  };
}
