import { textOf } from '../../base/json.ts';
import type { AgentInput, ToolCall, Transcript } from '../client.ts';

const DETAIL_CHARACTERS_MAX = 300;
const CODE_CHARACTERS_MAX = 64;
const TEXT_CHARACTERS_MAX = 16_384;
/** Arguments beyond this are cut, and so no JSON any more: whoever reads them says so to the model. */
/** One character more is let through: whoever takes them sees that they were too long. */
const ARGUMENTS_CHARACTERS_MAX = 65_536;

/** An error in a backend's own words, shortened to what a log and an event can carry. */
export function agentError(code: unknown, detail: unknown, isFatal: boolean): AgentInput {
  const name = (textOf(code) ?? '').slice(0, CODE_CHARACTERS_MAX);
  return {
    type: 'agent_error',
    code: name === '' ? 'unknown' : name,
    detail: (textOf(detail) ?? '').slice(0, DETAIL_CHARACTERS_MAX),
    isFatal,
  };
}

/** Something that was said; undefined where the text says nothing. */
export function transcript(
  speaker: Transcript['speaker'],
  text: unknown,
  facts: Partial<Omit<Transcript, 'type' | 'speaker' | 'text'>> = {},
): Transcript | undefined {
  if (typeof text !== 'string' || text.trim() === '') return undefined;
  return {
    type: 'transcript',
    speaker,
    text: text.slice(0, TEXT_CHARACTERS_MAX),
    isFinal: true,
    startMs: null,
    endMs: null,
    confidence: null,
    ...facts,
  };
}

/** A call of a function, its arguments as they came. */
export function toolCall(id: string, name: string, argumentsText: unknown): ToolCall {
  const text = typeof argumentsText === 'string' ? argumentsText : JSON.stringify(argumentsText ?? {});
  return { type: 'tool_call', id, name, argumentsText: text.slice(0, ARGUMENTS_CHARACTERS_MAX + 1) };
}
