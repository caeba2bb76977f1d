import type { JsonObject } from '../../src/base/json.ts';
import { API_VERSION, type Envelope } from '../../src/events/envelope.ts';

/** Envelopes of one call, numbered as its owner would; `data` gets the head of the call in front. */
export function callEnvelopes(
  callId = 'call_1',
  workspaceId = 'ws_default',
): {
  readonly next: (type: string, own?: JsonObject, state?: string) => Envelope;
} {
  let sequence = 0;
  const startedUnixMs = Date.UTC(2026, 10, 20, 12);
  const head = {
    call_id: callId,
    direction: 'inbound',
    from: '+15550100',
    to: '+15550199',
    agent_id: 'echo',
    conversation_id: 'conv_1',
    lead_id: '884',
    contact_id: null,
    metadata: {},
    started_at: new Date(startedUnixMs).toISOString(),
  };
  return {
    next: (type, own = {}, state = 'active') => {
      sequence++;
      return {
        id: `evt_${callId}_${sequence}`,
        type,
        api_version: API_VERSION,
        created_at: new Date(startedUnixMs + sequence * 100).toISOString(),
        workspace_id: workspaceId,
        resource: { type: 'call', id: callId },
        sequence,
        region: 'local',
        test_mode: false,
        data: { ...head, state, ...own },
      };
    },
  };
}
