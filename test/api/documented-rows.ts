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
