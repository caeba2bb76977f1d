import { describe, expect, it } from 'vitest';
import { lastEventsOf } from '../../src/control/orphans/last-events.ts';
import { Reaper } from '../../src/control/reaper.ts';
import { applyToCall, type CallView } from '../../src/events/call-view.ts';
import type { Envelope, EventRecord } from '../../src/events/envelope.ts';
import { toldBy } from '../../src/events/told-call.ts';
import { callEnvelopes } from '../fakes/call-envelopes.ts';
import { FakeClock } from '../fakes/clock.ts';

function lostCall(...types: [type: string, own?: Record<string, unknown>][]): CallView {
  const { next } = callEnvelopes();
  let view: CallView | undefined;
  for (const [type, own] of types) view = applyToCall(view, next(type, own ?? {}), 'n0-dead');
  return view!;
}

const typesOf = (envelopes: readonly Envelope[]): string[] => envelopes.map(({ type }) => type);
const clock = new FakeClock({ unixMs: Date.UTC(2026, 10, 20, 12, 1) });

describe('the reaper', () => {
  it('ends every leg, the call, and completes it, numbering on without a gap', () => {
    const call = lostCall(
      ['call_started'],
      ['leg_connected', { leg_id: 'leg_1', role: 'caller', dialect: 'twilio', codec: 'PCMU/8000' }],
      ['leg_connected', { leg_id: 'leg_2', role: 'agent', dialect: 'echo', codec: null }],
    );
    const events = lastEventsOf(call, clock).map(({ envelope }) => envelope);
    expect(typesOf(events)).toEqual(['leg_disconnected', 'leg_disconnected', 'call_ended', 'call_completed']);
    expect(events.map(({ sequence }) => sequence)).toEqual([4, 5, 6, 7]);
    expect(events[2]!.data).toMatchObject({ reason: 'node_lost', state: 'ended', duration_ms: 60_000 });
    expect(events[3]!.data['legs']).toMatchObject([{ reason: 'node_lost' }, { reason: 'node_lost' }]);
  });

  it('only completes a call that had told its own end', () => {
    const call = lostCall(
      ['call_started'],
      ['leg_connected', { leg_id: 'leg_1', role: 'caller' }],
      ['leg_disconnected', { leg_id: 'leg_1', reason: 'hangup' }],
      ['call_ended', { reason: 'caller_hangup', state: 'ended' }],
    );
    const events = lastEventsOf(call, clock).map(({ envelope }) => envelope);
    expect(typesOf(events)).toEqual(['call_completed']);
    expect(events[0]!.data['reason']).toBe('caller_hangup');
  });
});

describe('calls of nodes that left nothing behind', () => {
  it('are ended some time after the start, and those of followed nodes are not', async () => {
    const virtual = new FakeClock();
    const call = lostCall(['call_started'], ['leg_connected', { leg_id: 'leg_1', role: 'caller' }]);
    const reaped: string[] = [];
    const published: EventRecord[] = [];
    const reaper = new Reaper({
      journal: {
        read: async () => [],
        incarnationsWithOpenCalls: async () => ['n0-dead', 'n1-alive'],
        openCalls: async (incarnation) => {
          reaped.push(incarnation);
          return incarnation === 'n0-dead' ? [call] : [];
        },
        openCall: async () => undefined,
      },
      finish: async (_, make) => {
        const records = make(call);
        published.push(...records);
        return records;
      },
      onLost: () => {},
      clock: virtual,
      log: { warn: () => {}, error: () => {} },
    });
    reaper.watchForStrays((incarnation) => incarnation === 'n1-alive');
    virtual.advance(9_999);
    await Promise.resolve();
    expect(reaped).toEqual([]);
    virtual.advance(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(reaped).toEqual(['n0-dead']);
    expect(published.map(({ envelope }) => envelope.type)).toEqual([
      'leg_disconnected',
      'call_ended',
      'call_completed',
    ]);
  });
});

describe('what a lost call is completed with', () => {
  const rates = {
    currency: 'EUR',
    rates: [{ direction: 'any', agentId: null, perMinute: '0.1' }] as const,
  };
  const postCall = { rates, transcriptUrl: (id: string) => `http://here/${id}` };

  it('is what its events have told: who talked, what was noted, what was recorded, what it cost', () => {
    const call = lostCall(
      ['call_started'],
      ['leg_connected', { leg_id: 'leg_1', role: 'caller', dialect: 'twilio', codec: 'PCMU/8000' }],
      ['leg_connected', { leg_id: 'leg_2', role: 'agent', dialect: 'native', codec: null }],
    );
    const { next } = callEnvelopes();
    const told = toldBy([
      next('voice_ended', { leg_id: 'leg_1', duration_ms: 700 }),
      next('voice_ended', { leg_id: 'leg_1', duration_ms: 300 }),
      next('barge_in', { leg_id: 'leg_1', interrupted_leg_id: 'leg_2' }),
      next('transcript_segment', { speaker: 'caller', text: 'hello' }),
      next('disposition_set', { disposition: 'callback', by: 'api' }),
      next('disposition_set', { disposition: 'sold', by: 'agent' }),
      next('qualification_met', { score: 7, threshold: 5, criteria: { budget: true } }),
      next('recording_ready', { recording_id: 'rec_1', url: 'u', channels: 2, duration_ms: 9, sha256: 's' }),
    ]);
    const completed = lastEventsOf(call, clock, { told, postCall }).at(-1)!.envelope.data;
    expect(completed).toMatchObject({
      talk_ms: { caller: 1_000, agent: 0 },
      parties: [
        { leg_id: 'leg_1', role: 'caller', talk_ms: 1_000, interruptions: 1 },
        { leg_id: 'leg_2', role: 'agent', talk_ms: 0, interruptions: 0 },
      ],
      cost: { amount: '0.1', minutes: 1 },
      disposition: 'sold',
      qualification: { score: 7, threshold: 5, criteria: { budget: true }, met: true },
      transcript: { url: `http://here/${call.id}`, segments: 1 },
      recordings: [{ recording_id: 'rec_1', url: 'u', channels: 2, duration_ms: 9 }],
    });
  });

  it('is null where they told nothing', () => {
    const call = lostCall(['call_started'], ['leg_connected', { leg_id: 'leg_1', role: 'caller' }]);
    const completed = lastEventsOf(call, clock).at(-1)!.envelope.data;
    expect(completed).toMatchObject({
      cost: null,
      disposition: null,
      qualification: null,
      sentiment: null,
      summary: null,
      transcript: null,
      recordings: [],
    });
  });
});
