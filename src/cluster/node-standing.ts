import type { NodeState } from './node-record.ts';

/** A loop later than this (p99) for three beats, and nothing new is placed on the node. */
const LOOP_DELAY_MAX_MS = 50;
const BEATS_TO_CHANGE = 3;

export interface NodeStanding {
  readonly state: NodeState;
  /** Beats in a row that spoke for the other of `serving` and `degraded`. */
  readonly beatsAgainst: number;
}

export type StandingInput =
  | { readonly type: 'beat_accepted'; readonly loopDelayP99Ms: number }
  | { readonly type: 'drain' }
  | { readonly type: 'leave' };

export const STARTING: NodeStanding = { state: 'starting', beatsAgainst: 0 };

/** Where a node stands after that; the same object where nothing changed. Nobody comes back from draining. */
export function advanceStanding(standing: NodeStanding, input: StandingInput): NodeStanding {
  const { state } = standing;
  if (state === 'leaving') return standing;
  if (input.type === 'leave') return { state: 'leaving', beatsAgainst: 0 };
  if (state === 'draining') return standing;
  if (input.type === 'drain') return { state: 'draining', beatsAgainst: 0 };
  const isLate = input.loopDelayP99Ms > LOOP_DELAY_MAX_MS;
  if (state === 'starting') return { state: 'serving', beatsAgainst: isLate ? 1 : 0 };
  return weighed(standing, isLate === (state === 'serving'));
}

function weighed(standing: NodeStanding, isAgainst: boolean): NodeStanding {
  const beatsAgainst = isAgainst ? standing.beatsAgainst + 1 : 0;
  if (beatsAgainst >= BEATS_TO_CHANGE) {
    return { state: standing.state === 'serving' ? 'degraded' : 'serving', beatsAgainst: 0 };
  }
  return beatsAgainst === standing.beatsAgainst ? standing : { state: standing.state, beatsAgainst };
}
