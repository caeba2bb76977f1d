import type { AgentTerms, BackendTerms } from '../../events/agents.ts';
import type { AgentBackend, AgentCall } from '../agent-dialler.ts';
import type { CallDesk } from '../call-desk.ts';
import type { Member } from '../parties/roster.ts';
import type { History } from './history.ts';
import { toolsOf } from './tool-shapes.ts';

/** What a backend is told of the agent it is to be. */
export function backendOf(
  backend: BackendTerms,
  terms: AgentTerms,
  history: History,
): Omit<AgentBackend, 'greeting'> {
  const { dialect, url, api_key: apiKey, model, voice, options, settings } = backend;
  const { language, prompt: instructions } = terms;
  return {
    dialect,
    url,
    apiKey,
    model,
    voice,
    language,
    instructions,
    tools: toolsOf(terms),
    history: history.turns,
    options,
    settings,
  };
}

/** What it is told of the call. */
export function agentCallOf({ facts }: CallDesk, caller: Member): AgentCall {
  const { id: callId, from, to, leadId, metadata } = facts;
  const texts = Object.entries(metadata).filter((entry): entry is [string, string] => {
    return typeof entry[1] === 'string';
  });
  const parameters = { ...Object.fromEntries(texts), ...(leadId !== null && { lead_id: leadId }) };
  return { callId, from, to, parameters, sampleRateHz: caller.party.sampleRateHz };
}
