import type { AtMs } from '../../base/clock.ts';

export const BARGE_IN_POLICIES = ['notify', 'pause', 'clear', 'ignore'] as const;

/**
 * What happens when somebody speaks over an agent: it is only told (`notify`), the agent is silent until it
 * is known whether it was more than a cough (`pause`), what was not heard yet is dropped at once (`clear`),
 * or nothing happens (`ignore`).
 */
export type BargeInPolicy = (typeof BARGE_IN_POLICIES)[number];

/** An interruption shorter than this was none (calls.md, Talking). */
export const FALSE_ALARM_MS = 500;

/** Where an agent stands with whoever it speaks to. */
export type Interruption =
  | { readonly name: 'none' }
  /** It is silent, and may go on. */
  | { readonly name: 'paused'; readonly bySpeakerId: string; readonly sinceAtMs: AtMs }
  /** It was interrupted, and the voice that did it goes on. */
  | { readonly name: 'interrupted'; readonly bySpeakerId: string };

export type InterruptionInput =
  /** Somebody speaks over the agent, and it is no echo. */
  | {
      readonly type: 'spoke_over';
      readonly speakerId: string;
      readonly policy: BargeInPolicy;
      readonly nowMs: AtMs;
    }
  /** The agent's own ears heard whoever it speaks to. */
  | { readonly type: 'agent_heard'; readonly policy: BargeInPolicy }
  /** It has lasted longer than any cough. */
  | { readonly type: 'lasted' }
  /** The voice is over: it spoke over the agent for so long. */
  | { readonly type: 'fell_silent'; readonly speakerId: string; readonly durationMs: number };

/** What is to be done about it. */
export type InterruptionAct = 'nothing' | 'tell' | 'pause' | 'resume' | 'cut';

export interface InterruptionStep {
  readonly state: Interruption;
  readonly act: InterruptionAct;
}

export const UNINTERRUPTED: Interruption = { name: 'none' };

/** Moves an interruption on. Where nothing happened the state is the same. */
export function advanceInterruption(state: Interruption, input: InterruptionInput): InterruptionStep {
  switch (input.type) {
    case 'spoke_over':
      return state.name === 'none' ? begun(input) : { state, act: 'nothing' };
    case 'agent_heard':
      return heard(state, input);
    case 'lasted':
      if (state.name !== 'paused') return { state, act: 'nothing' };
      return { state: { name: 'interrupted', bySpeakerId: state.bySpeakerId }, act: 'cut' };
    default:
      return silenced(state, input);
  }
}

type Input<T extends InterruptionInput['type']> = Extract<InterruptionInput, { type: T }>;

function begun({ speakerId: bySpeakerId, policy, nowMs }: Input<'spoke_over'>): InterruptionStep {
  switch (policy) {
    case 'ignore':
      return { state: UNINTERRUPTED, act: 'nothing' };
    case 'pause':
      return { state: { name: 'paused', bySpeakerId, sinceAtMs: nowMs }, act: 'pause' };
    default:
      return { state: { name: 'interrupted', bySpeakerId }, act: policy === 'notify' ? 'tell' : 'cut' };
  }
}

/**
 * A backend that heard the caller has stopped already: what it said before is stale, however short it was.
 */
function heard(state: Interruption, { policy }: Input<'agent_heard'>): InterruptionStep {
  if (policy === 'ignore' || policy === 'notify') return { state, act: 'nothing' };
  // Its ears may be slower than ours, or than the voice: only a voice that we hear ends by our ears.
  const after: Interruption =
    state.name === 'none' ? state : { name: 'interrupted', bySpeakerId: state.bySpeakerId };
  return { state: after, act: 'cut' };
}

function silenced(state: Interruption, { speakerId, durationMs }: Input<'fell_silent'>): InterruptionStep {
  if (state.name === 'none' || state.bySpeakerId !== speakerId) return { state, act: 'nothing' };
  const isFalseAlarm = state.name === 'paused' && durationMs < FALSE_ALARM_MS;
  if (isFalseAlarm) return { state: UNINTERRUPTED, act: 'resume' };
  return { state: UNINTERRUPTED, act: state.name === 'paused' ? 'cut' : 'nothing' };
}
