import { expect, it } from 'vitest';
import { forCaller } from '../../src/call/call-events.ts';
import { API_VERSION, type Envelope } from '../../src/events/envelope.ts';

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
