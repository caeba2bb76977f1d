import type { AtMs } from '../../base/clock.ts';

/** How the caller comes from one party to the next (calls.md, Handover). */
export type HandoverMode = 'cold' | 'warm' | 'whisper';

/** Why the call is back with its former agent (contract.md §5.2). */
export type HandoverFailure =
  | 'timeout'
  | 'declined'
  | 'unreachable'
  | 'target_error'
  | 'cancelled'
  | 'caller_hangup'
  | 'unsupported';

/** What was asked for, and does not change any more. */
export interface HandoverPlan {
  readonly id: string;
  readonly mode: HandoverMode;
  readonly startedAtMs: AtMs;
  /** Nobody has answered by then: it has failed. */
  readonly deadlineAtMs: AtMs;
}

interface Ongoing {
  readonly plan: HandoverPlan;
  /** The former agent's line is gone: there is nobody to give the call back to. */
  readonly hasLostAgent: boolean;
}

/**
 * One handover, from its start to its outcome. `offered`: nobody has answered. `consulting`: the target talks
 * with the former agent, and the caller hears neither. `bridged`: caller and target are joined, and the
 * target
 * was not heard yet. The caller's ear is the former agent's again in `failed` alone.
 */
export type HandoverState =
  | (Ongoing & { readonly name: 'offered'; readonly targetLegId: string | null })
  | (Ongoing & { readonly name: 'consulting'; readonly targetLegId: string; readonly acceptedAtMs: AtMs })
  | (Ongoing & { readonly name: 'bridged'; readonly targetLegId: string; readonly bridgedAtMs: AtMs })
  | (Ongoing & { readonly name: 'succeeded'; readonly targetLegId: string; readonly elapsedMs: number })
  | (Ongoing & { readonly name: 'failed'; readonly reason: HandoverFailure; readonly elapsedMs: number });

export type HandoverInput =
  /** The target's leg is up. It has not agreed to anything yet. */
  | { readonly type: 'target_arrived'; readonly legId: string }
  /** It said so, or its first audio passed. */
  | { readonly type: 'accepted'; readonly legId: string }
  | { readonly type: 'declined' }
  /** Nobody can be asked: no such queue, no operator left, the line cannot be dialled. */
  | { readonly type: 'unreachable' }
  | { readonly type: 'unsupported' }
  /** The consultation is over: the caller is to be joined. */
  | { readonly type: 'completed' }
  | { readonly type: 'cancelled' }
  | { readonly type: 'leg_lost'; readonly legId: string }
  | { readonly type: 'agent_lost' }
  | { readonly type: 'caller_lost' }
  /** A frame of the target went out to the caller. */
  | { readonly type: 'target_heard' }
  | { readonly type: 'time_passed' };

/** A handover begins: from here on the caller no longer hears its agent, unless the hold lets it. */
export function startHandover(plan: HandoverPlan): HandoverState {
  return { name: 'offered', plan, hasLostAgent: false, targetLegId: null };
}

export function isOver(
  state: HandoverState,
): state is Extract<HandoverState, { name: 'succeeded' | 'failed' }> {
  return state.name === 'succeeded' || state.name === 'failed';
}

/** Moves a handover. Where nothing happened, the same object comes back. */
export function advanceHandover(state: HandoverState, input: HandoverInput, nowMs: AtMs): HandoverState {
  if (isOver(state)) return state;
  switch (input.type) {
    case 'caller_lost':
      return failed(state, 'caller_hangup', nowMs);
    case 'cancelled':
      // What the caller already hears is no longer to be taken back: the cancel came too late.
      return state.name === 'bridged' ? state : failed(state, 'cancelled', nowMs);
    case 'agent_lost':
      return withoutAgent(state, nowMs);
    case 'leg_lost':
      return state.targetLegId === input.legId ? failed(state, 'target_error', nowMs) : state;
    case 'target_heard':
      return state.name === 'bridged' ? succeeded(state, nowMs) : state;
    default:
      return state.name === 'offered' ? answer(state, input, nowMs) : carryOn(state, input, nowMs);
  }
}

type Offered = Extract<HandoverState, { name: 'offered' }>;
type Answered = Extract<HandoverState, { name: 'consulting' | 'bridged' }>;

function answer(state: Offered, input: HandoverInput, nowMs: AtMs): HandoverState {
  switch (input.type) {
    case 'target_arrived':
      return state.targetLegId === null ? { ...state, targetLegId: input.legId } : state;
    case 'accepted':
      return accepted(state, input.legId, nowMs);
    case 'declined':
    case 'unreachable':
    case 'unsupported':
      return failed(state, input.type, nowMs);
    case 'time_passed':
      return nowMs >= state.plan.deadlineAtMs ? failed(state, 'timeout', nowMs) : state;
    default:
      return state;
  }
}

function accepted(state: Offered, legId: string, nowMs: AtMs): HandoverState {
  const answered = { plan: state.plan, hasLostAgent: state.hasLostAgent, targetLegId: legId };
  // With nobody left to talk to, there is nothing to consult about.
  const isDirect = state.plan.mode === 'cold' || state.hasLostAgent;
  return isDirect
    ? { ...answered, name: 'bridged', bridgedAtMs: nowMs }
    : { ...answered, name: 'consulting', acceptedAtMs: nowMs };
}

function carryOn(state: Answered, input: HandoverInput, nowMs: AtMs): HandoverState {
  if (state.name !== 'consulting') return state;
  if (input.type === 'declined') return failed(state, 'declined', nowMs);
  return input.type === 'completed' ? bridged(state, nowMs) : state;
}

/** A consultation with nobody joins the caller at once; an offer goes on, but has no way back. */
function withoutAgent(state: Offered | Answered, nowMs: AtMs): HandoverState {
  if (state.hasLostAgent) return state;
  const lonely = { ...state, hasLostAgent: true };
  return lonely.name === 'consulting' ? bridged(lonely, nowMs) : lonely;
}

function bridged(state: Extract<HandoverState, { name: 'consulting' }>, nowMs: AtMs): HandoverState {
  const { plan, hasLostAgent, targetLegId } = state;
  return { name: 'bridged', plan, hasLostAgent, targetLegId, bridgedAtMs: nowMs };
}

function succeeded(state: Extract<HandoverState, { name: 'bridged' }>, nowMs: AtMs): HandoverState {
  const { plan, hasLostAgent, targetLegId } = state;
  return { name: 'succeeded', plan, hasLostAgent, targetLegId, elapsedMs: nowMs - plan.startedAtMs };
}

function failed(state: Offered | Answered, reason: HandoverFailure, nowMs: AtMs): HandoverState {
  const { plan, hasLostAgent } = state;
  return { name: 'failed', plan, hasLostAgent, reason, elapsedMs: nowMs - plan.startedAtMs };
}
