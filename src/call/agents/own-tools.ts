import type { CommandResult } from '../../events/commands.ts';
import type { CallFacts } from '../facts.ts';

/** One call of a function that an agent's owner made for it. */
export interface OwnToolCall {
  readonly agentId: string;
  readonly tool: string;
  /** How the backend names this call of the function. */
  readonly id: string;
  /** A JSON object as text. */
  readonly argumentsText: string;
}

/** Whoever carries out an agent's own functions, somewhere out in the world. */
export interface OwnTools {
  /** Never rejects, and answers within `timeLimitMs`. */
  run(call: OwnToolCall, facts: CallFacts, timeLimitMs: number): Promise<CommandResult>;
}
