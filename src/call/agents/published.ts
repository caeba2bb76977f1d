import type { PublishedAgent } from '../../events/agents.ts';
import type { CallFacts } from '../facts.ts';

/** What the limits of agents held back in calls that are over. */
export interface AgentCounts {
  /** Calls of a tool while too many were under way, and beyond those that are told of and remembered. */
  tools: number;
  untoldTools: number;
  forgottenTools: number;
  /** Their result did not come in time. */
  lateTools: number;
  /** Turns no further backend would have been told. */
  forgottenTurns: number;
  /** Stretches of speech that were taken as heard, and turns that no next owner of a call was told. */
  forgottenUtterances: number;
  unkeptTurns: number;
  /** Frames of callers whose agent's line was gone for too long. */
  overwrittenFrames: number;
}

export function newAgentCounts(): AgentCounts {
  return {
    tools: 0,
    untoldTools: 0,
    forgottenTools: 0,
    lateTools: 0,
    forgottenTurns: 0,
    forgottenUtterances: 0,
    unkeptTurns: 0,
    overwrittenFrames: 0,
  };
}

/** The agents that were published: what a call asks of its node. */
export interface Agents {
  /** Raised at the end of each call; absent where nobody reads it. */
  readonly counts?: AgentCounts;
  /** The one that is to answer this call, as it was published last. */
  agentFor(call: Pick<CallFacts, 'agentId' | 'workspaceId' | 'testMode'>): PublishedAgent | undefined;
}
