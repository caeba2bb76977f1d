/** Rows as the store has them, one of each kind that an answer is made of. */
export function leg() {
  return {
    leg_id: 'leg_1',
    role: 'caller' as const,
    dialect: 'twilio',
    codec: null,
    connected_at: '2026-11-20T12:00:00.000Z',
    disconnected_at: null,
    reason: null,
  };
}

/** A hook that arrived. */
export function delivery(endpointId: string) {
  return {
    id: 'dlv_1',
    endpointId,
    eventId: 'evt_1',
    eventType: 'call_started',
    resourceId: 'call_1',
    state: 'delivered' as const,
    isManual: false,
    replayedAs: null,
    settledAt: '2026-11-20T12:00:00.250Z',
    attempts: 1,
    createdAt: '2026-11-20T12:00:00.000Z',
    nextAttemptAt: null,
    lastStatus: 200,
    lastError: null,
  };
}

/** What each command to a call takes at least. */
export const COMMANDS: { readonly [path: string]: object } = {
  hold: { on: true },
  mute: { leg_id: 'leg_1', on: true },
  play: { url: 'tone:busy' },
  clear: {},
  dtmf: { digits: '1' },
  record: { action: 'start' },
  fork: { url: 'wss://a.example/', leg_id: 'leg_1' },
  'fork/stop': { fork_id: 'fork_1' },
  legs: { role: 'human' },
  transfer: { to: '+15550123' },
  disposition: { disposition: 'sale' },
  qualification: { score: 1 },
  transcript: { segments: [{ speaker: 'caller', text: 'hello' }] },
  handover: { target: { type: 'queue', to: 'sales' } },
};

export const RECORDING = {
  id: 'rec_1',
  workspaceId: 'ws_default',
  testMode: false,
  callId: 'call_1',
  state: 'ready' as const,
  format: 'wav_g711' as const,
  sampleRateHz: 8000,
  startedAt: '2026-11-20T12:00:00.000Z',
  durationMs: 7000,
  bytes: 112_058,
  sha256: 'aa',
  reason: null,
};

export const INBOUND = {
  name: 'the shop',
  schema: { type: 'object' },
  mapping: { order: { pointer: '/id', default: null } },
  actions: [{ type: 'publish_event', args: { event: 'custom.order.paid' } }],
  signature: { header: 'X-Signature' },
  response: { status: 200, body: { received: true } },
};

/** What a route is asked with. */
export function bodyFor(path: string, method: string): object {
  const command = /\/calls\/\{id\}\/(\w+(?:\/stop)?)$/.exec(path)?.[1];
  if (command !== undefined) return COMMANDS[command] ?? {};
  if (path.endsWith('/legs/{leg}')) return { muted: true };
  if (method === 'patch' && path.includes('/webhooks')) return { description: null };
  if (method === 'patch' && path.includes('/stream-credentials')) return { control: null };
  if (path.endsWith('/recover')) return { since: '2026-11-20' };
  if (/\/(?:rotate-secret|rotate-token|replay)$/.test(path)) return {};
  if (path.includes('/inbound-webhooks')) return INBOUND;
  if (path.includes('/webhooks')) return { url: 'https://a.example/', events: ['*'] };
  if (path.includes('/stream-credentials')) return { dialect: 'twilio' };
  return path.includes('/keys') ? { name: 'a' } : {};
}
