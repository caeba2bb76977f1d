import type { JsonObject } from '../../base/json.ts';

const SESSION = {
  agent_id: 'echo',
  direction: 'inbound',
  from: '+15550100',
  to: '+15550199',
  lead_id: '884',
  metadata: { campaign: 'spring' },
};
const CONTROL = { account: 'AC0123456789abcdef0123456789abcdef', secret: 'auth token of the account' };
const BACKEND = { name: 'first', dialect: 'openai-realtime', api_key: 'sk-…', model: 'gpt-realtime' };

/** A body for every route that takes one, by its method and path below the base: what `/docs` shows first. */
export const EXAMPLES: { readonly [route: string]: JsonObject } = {
  'POST /functions/v1/voice-runtime-session': SESSION,
  'POST /voice/sessions': SESSION,
  'POST /voice/stream-credentials': { dialect: 'twilio', agent_id: 'echo', label: 'main' },
  'PATCH /voice/stream-credentials/{id}': { control: CONTROL },
  'POST /calls/{id}/hold': { on: true, source: 'music' },
  'POST /calls/{id}/mute': { leg_id: 'leg_01K9ZC7Q3V8M2N4P6R8T0W2Y4Z', on: true },
  'POST /calls/{id}/play': { url: 'tone:beep' },
  'POST /calls/{id}/clear': {},
  'POST /calls/{id}/pause': {},
  'POST /calls/{id}/resume': {},
  'POST /calls/{id}/dtmf': { digits: '123#' },
  'POST /calls/{id}/legs': { role: 'supervisor', mode: 'whisper' },
  'POST /calls/{id}/transfer': { to: '+15550123' },
  'POST /calls/{id}/record': { action: 'start' },
  'POST /calls/{id}/fork': { url: 'wss://analytics.example/in', tracks: 'both' },
  'POST /calls/{id}/fork/stop': { fork_id: 'fork_01M7Z3A1V5K8N2S6W9Y4E7R0QT' },
  'POST /calls/{id}/disposition': { disposition: 'sale', by: 'crm' },
  'POST /calls/{id}/qualification': { score: 82, threshold: 70, criteria: { budget: true } },
  'POST /calls/{id}/transcript': {
    segments: [{ speaker: 'caller', text: 'My order is late.', start_ms: 400, end_ms: 1900 }],
  },
  'PATCH /calls/{id}/legs/{leg}': { mode: 'barge', gain_ratio: 1.5 },
  'POST /calls/{id}/handover': {
    target: { type: 'queue', to: 'sales' },
    mode: 'warm',
    reason: 'asked for a human',
    context: { summary: 'wants to buy' },
  },
  'POST /webhooks': {
    url: 'http://127.0.0.1:9000/hooks',
    events: ['voice_detected', 'voice_ended', 'call.*'],
  },
  'PATCH /webhooks/{id}': { events: ['*'], description: 'the CRM' },
  'POST /webhooks/{id}/rotate-secret': { overlap_s: 3600 },
  'POST /webhooks/{id}/recover': { since: '2026-11-20T12:00:00Z' },
  'POST /deliveries/{id}/replay': { as_new_event: true },
  'POST /dead-letters/replay': { since: '2026-11-20T12:00:00Z' },
  'POST /inbound-webhooks': {
    name: 'the CRM',
    schema: {
      type: 'object',
      required: ['call', 'result'],
      properties: { call: { type: 'string' }, result: { type: 'string' } },
    },
    mapping: { call_id: { pointer: '/call' }, disposition: { pointer: '/result' }, by: { value: 'crm' } },
    dedupe_pointer: '/id',
    signature: { header: 'X-Signature' },
    actions: [{ type: 'set_disposition' }, { type: 'publish_event', args: { event: 'custom.crm.result' } }],
  },
  'POST /inbound-webhooks/{id}/rotate-token': { overlap_s: 3600 },
  'POST /inbound-webhooks/{id}/rotate-secret': { overlap_s: 3600 },
  'POST /keys': { name: 'the CRM', scopes: ['calls:read', 'calls:write', 'events:read'] },
  'PATCH /keys/{id}': { rate_per_minute: 300, ip_allow: ['203.0.113.0/24'] },
  'POST /agents': {
    name: 'Front desk',
    prompt: 'Be brief.',
    greeting: 'Hello, how can I help?',
    language: 'en',
    backends: [BACKEND],
    tools: ['transfer_to_human', 'end_call'],
    transfer: { target: { type: 'queue', to: 'sales' }, mode: 'warm' },
  },
  'PATCH /agents/{id}': { prompt: 'Be brief, and kind.' },
};
