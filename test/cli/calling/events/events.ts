import type { Envelope } from '../../../../src/events/envelope.ts';

/** An event of a call as the stream tells it. */
export function eventOf(
  sequence: number,
  type = 'leg_connected',
  data: Envelope['data'] = {},
  callId = 'call_1',
): Envelope {
  return {
    id: `evt_${callId}_${sequence}`,
    type,
    api_version: '2025-11-01',
    created_at: '2026-11-20T12:00:00.000Z',
    workspace_id: 'ws_default',
    resource: { type: 'call', id: callId },
    sequence,
    region: 'local',
    test_mode: false,
    data,
  };
}
