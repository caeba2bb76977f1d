import { isObject, numberOf, parseObject, type JsonObject } from '../../../base/json.ts';
import type { ClientDialect, ClientOptions, ToolResult, Transcript } from '../../client.ts';
import {
  IGNORED,
  type CommandAnswer,
  type Inbound,
  type ReadResult,
  type WireMessage,
} from '../../dialect.ts';
import { flagOf, nameOf } from '../../fields.ts';
import { nativeDialect } from '../../native/dialect.ts';
import { markPlayedMessage, resultMessage } from '../../native/write.ts';
import { textMessage } from '../../text-message.ts';
import { agentError, toolCall, transcript } from '../agent-words.ts';
import { asProvider, ProviderSession } from '../as-provider.ts';
import { withoutNulls } from '../overlay.ts';

/**
 * A backend that speaks the house's own protocol, as the server: `omnivoice.v1` with the words of agents
 * (docs/agents.md).
 */
export const nativeClientDialect: ClientDialect = {
  ...asProvider(nativeDialect),
  openClient: (options) => new NativeClientSession(options),
};

class NativeClientSession extends ProviderSession {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    super(nativeDialect, options);
    this.#options = options;
  }

  /** The start, and who the agent is to be. */
  override hello(): readonly WireMessage[] {
    return super
      .hello()
      .map(({ bytes }) =>
        textMessage({ ...parseObject(bytes), call_id: this.#options.callId, agent: agentOf(this.#options) }),
      );
  }

  override read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    const said = isBinary ? undefined : readAgentWord(parseObject(message) ?? {});
    return said ?? super.read(message, isBinary, into);
  }

  override writeAnswer(answer: CommandAnswer): WireMessage {
    return resultMessage(answer);
  }

  override writeMarkPlayed(name: string, playedMs: number | null): WireMessage {
    return markPlayedMessage(name, playedMs);
  }

  writeInterrupted(itemId: string | null, playedMs: number): readonly WireMessage[] {
    return [textMessage({ type: 'interrupted', item_id: itemId, played_ms: Math.floor(playedMs) })];
  }

  writeToolResult({ id, name, ok, value }: ToolResult): readonly WireMessage[] {
    return [textMessage({ type: 'tool_result', id, name, ok, value })];
  }

  writeContext(text: string): readonly WireMessage[] {
    return [textMessage({ type: 'context', text })];
  }
}

function agentOf(options: ClientOptions): JsonObject {
  const { model, voice, language, instructions, greeting, tools, history, settings } = options;
  return {
    ...withoutNulls({ model, voice, language, instructions }),
    ...withoutNulls({ greeting: history.length > 0 ? null : greeting }),
    tools: [...tools],
    history: [...history],
    settings,
  };
}

/** Words that only agents say; undefined for those any client may. */
function readAgentWord(message: JsonObject): ReadResult | undefined {
  switch (message['type']) {
    case 'caller_speaking':
      return { type: 'caller_speaking' };
    case 'agent_speaking':
      return { type: 'agent_speaking', itemId: nameOf(message['item_id']) ?? null };
    case 'agent_spoke':
      return { type: 'agent_spoke', itemId: nameOf(message['item_id']) ?? null };
    case 'transcript':
      return readTranscript(message) ?? IGNORED;
    case 'tool_call':
      return readToolCall(message);
    case 'agent_error':
      return agentError(message['code'], message['detail'], flagOf(message['fatal'], false) === true);
    case 'command':
      return readCommand(message);
    default:
      return undefined;
  }
}

function readTranscript(message: JsonObject): Transcript | undefined {
  const confidence = numberOf(message['confidence']);
  return transcript(message['speaker'] === 'agent' ? 'agent' : 'caller', message['text'], {
    isFinal: flagOf(message['final'], true) !== false,
    startMs: msOf(message['start_ms']),
    endMs: msOf(message['end_ms']),
    confidence: confidence !== undefined && confidence >= 0 && confidence <= 1 ? confidence : null,
  });
}

function readToolCall(message: JsonObject): ReadResult {
  const [id, name] = [nameOf(message['id']), nameOf(message['name'])];
  return id === undefined || name === undefined ? IGNORED : toolCall(id, name, message['arguments']);
}

function readCommand(message: JsonObject): ReadResult {
  const name = nameOf(message['name']);
  const args = message['args'] ?? {};
  if (name === undefined || !isObject(args)) return IGNORED;
  return { type: 'command', id: nameOf(message['id']) ?? null, name, args };
}

function msOf(value: unknown): number | null {
  const ms = numberOf(value);
  return ms !== undefined && ms >= 0 ? Math.round(ms) : null;
}
