import type { AtMs } from '../../base/clock.ts';

/** Load balancers hear within this time that a node is leaving; it answers them, and moves nobody yet. */
const ANNOUNCE_MS = 2_000;

/** Why a drain is over. */
export type DrainEnd =
  /** Every call has moved or ended. */
  | 'empty'
  /** Time is up: what is left is ended. */
  | 'deadline';

/** How a node leaves. Nobody comes back from draining. */
export type DrainState =
  | { readonly name: 'serving' }
  /** Nothing new is taken; whoever hands out addresses is told so. */
  | { readonly name: 'announced'; readonly sinceAtMs: AtMs; readonly deadlineAtMs: AtMs }
  /** Calls are moved to other nodes. */
  | { readonly name: 'moving'; readonly sinceAtMs: AtMs; readonly deadlineAtMs: AtMs }
  | { readonly name: 'done'; readonly sinceAtMs: AtMs; readonly how: DrainEnd };

export type DrainInput =
  | { readonly type: 'begin'; readonly deadlineMs: number }
  /** `callsLeft`: calls here, lines whose last words are on their way, sockets of calls elsewhere. */
  | { readonly type: 'look'; readonly callsLeft: number };

export const SERVING: DrainState = { name: 'serving' };

/** Where a drain stands after that; the same object where nothing changed. */
export function advanceDrain(state: DrainState, input: DrainInput, nowMs: AtMs): DrainState {
  if (state.name === 'done') return state;
  if (input.type === 'begin') return begun(state, nowMs + input.deadlineMs, nowMs);
  if (state.name === 'serving') return state;
  const { sinceAtMs, deadlineAtMs } = state;
  if (input.callsLeft === 0) return { name: 'done', sinceAtMs, how: 'empty' };
  if (nowMs >= deadlineAtMs) return { name: 'done', sinceAtMs, how: 'deadline' };
  if (state.name === 'moving' || nowMs - sinceAtMs < ANNOUNCE_MS) return state;
  return { name: 'moving', sinceAtMs, deadlineAtMs };
}

/** Whoever asks again can only be in more of a hurry. */
function begun(state: Exclude<DrainState, { name: 'done' }>, deadlineAtMs: AtMs, nowMs: AtMs): DrainState {
  if (state.name === 'serving') return { name: 'announced', sinceAtMs: nowMs, deadlineAtMs };
  return deadlineAtMs < state.deadlineAtMs ? { ...state, deadlineAtMs } : state;
}
