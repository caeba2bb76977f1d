import type { JsonObject } from '../../base/json.ts';
import type { AgentTerms, AgentToolName } from '../../events/agents.ts';
import type { AgentTool } from '../agent-dialler.ts';

const text = (description: string): JsonObject => ({ type: 'string', description });

function tool(
  name: AgentToolName,
  description: string,
  properties: JsonObject,
  required: string[],
): AgentTool {
  return {
    name,
    description,
    parameters: { type: 'object', properties, required, additionalProperties: false },
  };
}

const TOOLS: { readonly [N in AgentToolName]: AgentTool } = {
  transfer_to_human: tool(
    'transfer_to_human',
    'Hands the caller over to a person. Say so to the caller first.',
    {
      reason: text('why the caller needs a person'),
      summary: text('what that person should know of the conversation so far'),
    },
    ['reason'],
  ),
  end_call: tool(
    'end_call',
    'Ends the call once what you said has been heard. Say goodbye first.',
    { reason: text('why the call is over') },
    [],
  ),
  send_dtmf: tool(
    'send_dtmf',
    'Presses keys on the telephone line.',
    { digits: text('0 to 9, *, #, A to D') },
    ['digits'],
  ),
  set_disposition: tool(
    'set_disposition',
    'Writes down what became of the call.',
    { disposition: text('one word or a short phrase') },
    ['disposition'],
  ),
  qualify: tool(
    'qualify',
    'Writes down how well the caller qualifies.',
    {
      score: { type: 'number', description: 'the score' },
      criteria: { type: 'object', description: 'what the score is made of' },
    },
    ['score'],
  ),
};

/** The functions an agent may call, as its backend is told of them. */
export function toolsOf({ tools, transfer, http_tools = [] }: AgentTerms): readonly AgentTool[] {
  const offered = tools.filter((name) => name !== 'transfer_to_human' || transfer !== null);
  const own = http_tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
  return [...offered.map((name) => TOOLS[name]), ...own];
}
