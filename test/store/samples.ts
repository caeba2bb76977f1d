import type { StoredEndpoint } from '../../src/api/ports.ts';
import type { JsonObject } from '../../src/base/json.ts';
import type { Attempt } from '../../src/delivery/outbox.ts';
import type { Envelope, EventRecord } from '../../src/events/envelope.ts';
import type { InboundHook } from '../../src/records/inbound/inbound-hook.ts';
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

/** An inbound hook that publishes an event. */
export function hookOf(id: string, change: Partial<InboundHook> = {}): InboundHook {
  return {
    id,
    workspaceId: WORKSPACE,
    testMode: false,
    name: null,
    tokens: [{ secret: 'a hash', untilUnixMs: null }],
    signature: null,
    schema: null,
    mapping: {},
    actions: [{ type: 'publish_event', args: { event: 'custom.x' } }],
    resource: { type: 'inbound', idPointer: null },
    dedupePointer: null,
    ratePerMinute: 300,
    answer: null,
    createdAt: '2026-11-20T12:00:00.000Z',
    ...change,
  };
}

let lastAttempt = 0;

/** An attempt that failed with a 503, or as told. */
export function attemptOf(deliveryId: string, number: number, change: Partial<Attempt> = {}): Attempt {
  return {
    id: `att_${String(++lastAttempt).padStart(6, '0')}`,
    deliveryId,
    number,
    trigger: number === 1 ? 'event' : 'retry',
    startedAt: '2026-11-20T12:00:00.000Z',
    durationMs: 3.25,
    timings: { dnsMs: 1, connectMs: 0.5, tlsMs: null, ttfbMs: 3 },
    url: 'https://receiver.example/hooks',
    bodyRef: 'evt_1/omnivoice/2025-11-01',
    bodyBytes: 512,
    requestHeaders: { 'webhook-id': 'evt_1' },
    resolvedAddress: '192.0.2.1',
    status: 503,
    responseHeaders: { server: 'x' },
    responseBody: 'busy',
    responseTruncated: false,
    errorClass: 'http_5xx',
    errorDetail: null,
    ...change,
  };
}

/** What ends well. */
export const GOOD: Partial<Attempt> = { status: 200, errorClass: null, responseBody: '' };
