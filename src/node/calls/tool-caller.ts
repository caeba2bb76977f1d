import type { OwnToolCall, OwnTools } from '../../call/agents/own-tools.ts';
import type { CallFacts } from '../../call/facts.ts';
import type { Ask, AskResult } from '../../events/asks.ts';

/** Half of the questions that may wait on the link: the other half is for what calls need of providers. */
const UNDER_WAY_MAX = 128;
/** Control keeps to the function's own time, and needs a little to say so. */
const ANSWER_GRACE_MS = 250;
/** Whoever waits for a function waits no longer (calls.md). */
const ANSWER_MS_MAX = 8_000;

export interface NodeToolCallerOptions {
  readonly ask: (ask: Ask, timeLimitMs: number) => Promise<AskResult>;
}

/**
 * Agents' own functions, by way of control: it knows their addresses and secrets, and no node waits for them.
 */
export class NodeToolCaller implements OwnTools {
  readonly stats = { refused: 0 };
  readonly #options: NodeToolCallerOptions;
  #underWay = 0;

  constructor(options: NodeToolCallerOptions) {
    this.#options = options;
  }

  async run(call: OwnToolCall, facts: CallFacts, timeLimitMs: number): Promise<AskResult> {
    if (this.#underWay >= UNDER_WAY_MAX) {
      this.stats.refused++;
      return { ok: false, fault: 'overloaded', detail: `${UNDER_WAY_MAX} functions are under way` };
    }
    this.#underWay++;
    try {
      const waitMs = Math.min(timeLimitMs + ANSWER_GRACE_MS, ANSWER_MS_MAX);
      return await this.#options.ask(askOf(call, facts), waitMs);
    } finally {
      this.#underWay--;
    }
  }
}

function askOf({ agentId, tool, id, argumentsText }: OwnToolCall, facts: CallFacts): Ask {
  return {
    name: 'agent_tool',
    workspace_id: facts.workspaceId,
    agent_id: agentId,
    tool,
    tool_call_id: id,
    arguments_text: argumentsText,
    call: {
      call_id: facts.id,
      test_mode: facts.testMode,
      direction: facts.direction,
      from: facts.from,
      to: facts.to,
      conversation_id: facts.conversationId,
      lead_id: facts.leadId,
      contact_id: facts.contactId,
    },
  };
}
