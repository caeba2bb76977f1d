import type { PublishedAgent } from '../../events/agents.ts';
import type { CallFacts } from '../facts.ts';

/** The agents that were published: what a call asks of its node. */
export interface Agents {
  /** The one that is to answer this call, as it was published last. */
  agentFor(call: Pick<CallFacts, 'agentId' | 'workspaceId' | 'testMode'>): PublishedAgent | undefined;
}
