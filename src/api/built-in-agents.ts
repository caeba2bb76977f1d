import { VoiceError } from '../base/errors.ts';
import { isBuiltIn } from '../events/catalogue.ts';

/** Throws where nobody answers to this agent id; absent means a call without an agent. */
export function requireAgent(agentId: string | null | undefined): string | null {
  if (agentId === null || agentId === undefined) return null;
  if (isBuiltIn(agentId)) return agentId;
  throw new VoiceError('not_found', `there is no agent ${agentId}`, { field: 'agent_id' });
}
