import { VoiceError } from '../base/errors.ts';
import { isBuiltIn } from '../events/catalogue.ts';
import type { AgentDesk, AgentPlace } from './agents/agent-desk.ts';

/** Throws where nobody answers to this agent id yet; absent means a call without an agent. */
export async function requireAgent(
  agentId: string | null | undefined,
  place: AgentPlace,
  { store }: Pick<AgentDesk, 'store'>,
): Promise<string | null> {
  if (agentId === null || agentId === undefined) return null;
  if (isBuiltIn(agentId)) return agentId;
  const agent = await store.get(place, agentId);
  if (agent?.published) return agentId;
  if (agent !== undefined) {
    throw new VoiceError('failed_precondition', `${agentId} is not published`, { field: 'agent_id' });
  }
  throw new VoiceError('not_found', `there is no agent ${agentId}`, { field: 'agent_id' });
}
