import type { AtMs, Clock } from '../../base/clock.ts';
import type { AgentCall, AgentDialler, AgentLine } from '../../call/agent-dialler.ts';
import { backendOf } from '../../call/agents/told-backend.ts';
import { History } from '../../call/agents/history.ts';
import type { AgentTerms, BackendTerms, BackendTrial } from '../../events/agents.ts';
import type { LegListener } from '../../leg/leg-listener.ts';

/** Somebody waits for the answer; a call would wait as long as the agent's terms say. */
const FIRST_AUDIO_MS_MAX = 8_000;
const CLOSE_NORMAL = 1000;
const SAMPLE_RATE_HZ = 8000;
const NO_CALL: AgentCall = {
  callId: 'trial',
  from: null,
  to: null,
  parameters: {},
  sampleRateHz: SAMPLE_RATE_HZ,
};

export interface TrialHouse {
  readonly dialler: AgentDialler;
  readonly clock: Clock;
}

/** Dials every backend of an agent at once, as a call would, and tells what came of each. Never rejects. */
export function tryAgent(terms: AgentTerms, house: TrialHouse): Promise<readonly BackendTrial[]> {
  return Promise.all(terms.backends.map((backend) => tryBackend(backend, terms, house)));
}

/** It answered; where it is to greet it was heard, too. */
function tryBackend(backend: BackendTerms, terms: AgentTerms, house: TrialHouse): Promise<BackendTrial> {
  const { dialler, clock } = house;
  const { name, dialect } = backend;
  const startedAtMs = clock.nowMs();
  const sinceStartMs = (nowMs: AtMs): number => Math.round(nowMs - startedAtMs);
  return new Promise((resolve) => {
    let line: AgentLine | undefined;
    let ready_ms: number | null = null;
    const end = (error: string | null, detail: string | null, first_audio_ms: number | null): void => {
      cancelWait();
      dialled.cancel();
      line?.leg.end('removed', CLOSE_NORMAL, clock.nowMs());
      line = undefined;
      resolve({ name, dialect, ok: error === null, error, detail, ready_ms, first_audio_ms });
    };
    const waitMs = Math.min(terms.first_audio_timeout_ms, FIRST_AUDIO_MS_MAX);
    const cancelWait = clock.after(waitMs, () => end('first_audio_timeout', `nothing in ${waitMs} ms`, null));
    const legListener = listenerOf({
      heard: (nowMs) => end(null, null, sinceStartMs(nowMs)),
      gone: (error) => end(error, 'it left', null),
    });
    const dialled = dialler.dial(
      { ...backendOf(backend, terms, new History()), greeting: terms.greeting },
      NO_CALL,
      {
        legListener,
        connected: (agent, nowMs) => {
          line = agent;
          ready_ms = sinceStartMs(nowMs);
          if (terms.greeting === null) end(null, null, null);
        },
        failed: ({ error, detail }) => end(error, detail, null),
      },
    );
  });
}

function listenerOf(told: { heard(nowMs: AtMs): void; gone(error: string): void }): LegListener {
  return {
    onFrame: (_leg, _frame, nowMs) => told.heard(nowMs),
    onVoice: () => undefined,
    onInput: (_leg, input) => {
      if (input.type === 'hung_up') told.gone('hung_up');
      else if (input.type === 'agent_error' && input.isFatal) told.gone(input.code);
    },
    onMark: () => undefined,
    onPlayed: () => undefined,
    onBroken: (_leg, fault) => told.gone(fault),
    onLost: () => told.gone('connection_lost'),
  };
}
