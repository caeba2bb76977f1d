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

const PLAYED = {
  leg_id: 'leg_1',
  played_ms: 20,
  unplayed_ms: 40,
  playbacks: [{ playback_id: 'play_1', played_ms: 20 }],
};

/** Of each command what it answers, all in one. */
const COMMAND_ANSWER = {
  on: true,
  source: 'in_band',
  leg_id: 'leg_1',
  leg_ids: ['leg_1'],
  playback_id: 'play_1',
  cleared: [{ leg_id: 'leg_1', played_ms: 20, unplayed_ms: 40 }],
  paused: [PLAYED],
  resumed: [PLAYED],
  digits: '1',
  recording_id: 'rec_1',
  fork_id: 'fork_1',
  role: 'human',
  mode: 'cold',
  ws_url: 'ws://127.0.0.1:8082/media/native',
  token: 'a.b.c',
  expires_at: '2026-11-20T12:05:00.000Z',
  to: '+15550123',
  disposition: 'sale',
  by: 'api',
  score: 1,
  threshold: null,
  met: null,
  segments: 1,
  handover_id: 'ho_1',
  state: 'offered',
  target: { type: 'queue', to: 'sales' },
  context: { summary: 'wants to buy' },
  join: { ws_url: 'ws://127.0.0.1/', token: 'a.b.c', expires_at: '2026-11-20T12:05:00.000Z' },
};

/** A recording's state is another than a handover's. */
export function answerOf(path: string): object {
  return path.endsWith('/record') ? { ...COMMAND_ANSWER, state: 'recording' } : COMMAND_ANSWER;
}

/** An inbound hook with something in every part of it. */
export function inboundCall(hookId: string) {
  return {
    id: 'inc_1',
    hookId,
    state: 'refused' as const,
    receivedAt: '2026-11-20T12:00:00.000Z',
    tries: 0,
    nextTryAt: null,
    errorCode: 'invalid_argument',
    errorDetail: 'the body is not JSON in UTF-8',
  };
}
