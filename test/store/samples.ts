import type { StoredEndpoint } from '../../src/api/ports.ts';
import type { JsonObject } from '../../src/base/json.ts';
import type { Envelope, EventRecord } from '../../src/events/envelope.ts';
import type { EncryptionKey } from '../../src/store/cipher.ts';

export const TEST_KEYS: readonly EncryptionKey[] = [{ id: 'k1', key: new Uint8Array(32).fill(7) }];
export const WORKSPACE = 'ws_default';

let lastEvent = 0;

/** An event of a call; what is not said is plain. */
export function eventOf(
  callId: string,
  sequence: number,
  change: { type?: string; data?: JsonObject } & Partial<Omit<Envelope, 'data' | 'type'>> = {},
): EventRecord {
  const { type = sequence === 1 ? 'call_started' : 'voice_detected', data = {}, ...rest } = change;
  return {
    stamps: { receivedAtMs: 1, decidedAtMs: 2 },
    envelope: {
      id: `evt_${String(++lastEvent).padStart(8, '0')}`,
      type,
      api_version: '2025-11-01',
      created_at: new Date(Date.UTC(2026, 10, 20, 12, 0, 0, sequence)).toISOString(),
      workspace_id: WORKSPACE,
      resource: { type: 'call', id: callId },
      sequence,
      region: 'local',
      test_mode: false,
      ...rest,
      data: {
        call_id: callId,
        state: 'active',
        direction: 'inbound',
        from: '+15550100',
        to: '+15550199',
        agent_id: 'echo',
        conversation_id: `conv_${callId}`,
        lead_id: null,
        contact_id: null,
        metadata: {},
        started_at: '2026-11-20T12:00:00.000Z',
        node: '0',
        ...data,
      },
    },
  };
}

/** Events 1 … `count` of a call. */
export function eventsOf(callId: string, count: number): EventRecord[] {
  return Array.from({ length: count }, (_, index) => eventOf(callId, index + 1));
}

export function endpointOf(id: string, change: Partial<StoredEndpoint> = {}): StoredEndpoint {
  return {
    id,
    workspaceId: WORKSPACE,
    url: 'https://receiver.example/hooks',
    events: ['*'],
    agentId: null,
    testMode: null,
    keys: { symmetric: `whsec_${'c2VjcmV0'.repeat(4)}`, shared: null, asymmetric: null },
    retiringKeys: [],
    signatures: { omniflow: null, voiceoi: false, secretHeader: null, ed25519: false },
    auth: null,
    ordering: 'strict',
    holdMs: 0,
    retryDelaysMs: [5_000, 30_000],
    timeoutMs: 10_000,
    success: '2xx',
    headers: { authorization: 'Bearer receiver-token' },
    enabled: true,
    disabledReason: null,
    description: null,
    format: 'omnivoice',
    retryPolicy: '24h',
    apiVersion: '2025-11-01',
    createdAt: `2026-11-20T12:00:00.000Z`,
    ...change,
  };
}
