import { VoiceError } from '../base/errors.ts';

// Always there (contract.md §4.1): `echo` plays back what it hears, `silent` listens only.
const BUILT_IN_AGENTS = ['echo', 'silent'];

/** Throws where nobody answers to this agent id; absent means a call without an agent. */
export function requireAgent(agentId: string | null | undefined): string | null {
  if (agentId === null || agentId === undefined) return null;
  if (BUILT_IN_AGENTS.includes(agentId)) return agentId;
  throw new VoiceError('not_found', `there is no agent ${agentId}`, { field: 'agent_id' });
}
