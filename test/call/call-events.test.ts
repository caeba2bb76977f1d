import { expect, it } from 'vitest';
import { newCallCounts } from '../../src/call/call-counts.ts';
import { CallEvents, forCaller } from '../../src/call/call-events.ts';
import type { CallHead } from '../../src/events/catalogue.ts';
import { API_VERSION, type Envelope, type EventRecord } from '../../src/events/envelope.ts';
import { FakeClock } from '../fakes/clock.ts';

it('a caller is not told how to join in the target’s place, and all the rest', () => {
  const data = { call_id: 'call_1', handover_id: 'ho_1', join: { token: 'secret', ws_url: 'wss://media' } };
  const envelope: Envelope = {
    id: 'evt_1',
    type: 'handover_started',
    api_version: API_VERSION,
    created_at: '2026-11-20T12:00:00.123Z',
    workspace_id: 'ws_1',
    resource: { type: 'call', id: 'call_1' },
    sequence: 7,
    region: 'local',
    test_mode: false,
    data,
  };
  expect(forCaller(envelope)).toEqual({ ...envelope, data: { call_id: 'call_1', handover_id: 'ho_1' } });
  expect(envelope.data['join']).toBe(data.join);
});

/** The events of one call, and what the sink was given. */
function openEvents(): { events: CallEvents; records: EventRecord[] } {
  const records: EventRecord[] = [];
  const events = new CallEvents({
    clock: new FakeClock({ nowMs: 1_000, seed: 1 }),
    counts: newCallCounts(),
    sink: { accept: (record) => void records.push(record) },
    identity: { workspaceId: 'ws_1', region: 'local', testMode: false },
    head: () => ({ call_id: 'call_1' }) as CallHead,
  });
  return { events, records };
}

it('events carry the token of their owner, from when it is known, and never a smaller one', () => {
  const { events, records } = openEvents();
  for (const fence of [undefined, 7, 6, 9]) {
    if (fence !== undefined) events.holdUnder(fence);
    events.emit('call_started', {}, 1_000);
  }
  expect(records.map(({ fence }) => fence)).toEqual([undefined, 7, 7, 9]);
  expect('fence' in records[0]!).toBe(false);
});

it('who has let go of a call numbers nothing and tells nothing, whatever token comes late', () => {
  const { events, records } = openEvents();
  events.emit('call_started', {}, 1_000);
  events.letGo();
  events.holdUnder(12);
  expect(events.emit('call_ended', {}, 1_000).sequence).toBe(1);
  expect(records.map(({ envelope }) => envelope.type)).toEqual(['call_started']);
  expect(events.timeline).toHaveLength(1);
  expect(events.isOwner).toBe(false);
});
