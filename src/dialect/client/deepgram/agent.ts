import { refuse } from '../../../base/errors.ts';
import { isObject, parseObject, type JsonObject } from '../../../base/json.ts';
import type { AudioFormat } from '../../../media/format.ts';
import { optionOf } from '../../capabilities.ts';
import type { AgentInput, ClientDialect, ClientOptions, ClientRequest, ToolResult } from '../../client.ts';
import { AUDIO, IGNORED, type Inbound, type ReadResult, type WireMessage } from '../../dialect.ts';
import { nameOf } from '../../fields.ts';
import { textMessage } from '../../text-message.ts';
import { agentError, toolCall, transcript } from '../agent-words.ts';
import { agreedFormat, backendStarted, BackendSession } from '../backend-session.ts';
import { backendUrl, keyHeader } from '../backend-url.ts';
import { BACKEND_CAPABILITIES } from '../capabilities.ts';
import { DEEPGRAM_FORMATS, takeBinary } from './encodings.ts';
import { AGENT_HOST, agentSettings, TOKEN_SCHEME } from './settings.ts';

const KEEP_ALIVE = textMessage({ type: 'KeepAlive' });
const FUNCTIONS_MAX = 32;

/** Deepgram's Voice Agent (deepgram/deepgram-api-specs asyncapi.yml, `/v1/agent/converse`). */
export const deepgramAgentDialect: ClientDialect = {
  name: 'deepgram-agent',
  // It hangs up on ten seconds of silence unless it is told that we are there.
  capabilities: { ...BACKEND_CAPABILITIES, keepAliveMs: 8_000 },
  options: [AGENT_HOST, TOKEN_SCHEME],
  formats: DEEPGRAM_FORMATS,
  openClient: (options) => new DeepgramAgentSession(options),
};

/** Our side of one conversation with a Deepgram agent. Its audio has no items. */
class DeepgramAgentSession extends BackendSession {
  readonly audioIsBinary = true;
  readonly request: ClientRequest;
  readonly stats = { droppedAudioMessages: 0 };
  readonly #options: ClientOptions;
  readonly #format: AudioFormat;
  #requestId: string | null = null;
  #hasStarted = false;
  #isSpeaking = false;
  /** What it still sends of an utterance that was interrupted is not to be heard. */
  #isInterrupted = false;

  constructor(options: ClientOptions) {
    super();
    this.#options = options;
    this.#format = agreedFormat(options.format, DEEPGRAM_FORMATS);
    this.request = {
      url: backendUrl(options.url, `wss://${optionOf(AGENT_HOST, options.options)}/v1/agent/converse`),
      headers: deepgramKey(options),
      subprotocols: [],
    };
  }

  hello(): readonly WireMessage[] {
    return [textMessage(agentSettings(this.#options, this.#format))];
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    if (isBinary) return this.#readAudio(message, into);
    const event = parseObject(message);
    if (event === undefined) return refuse('not_json', 'a text message that is no JSON object');
    return this.#hasStarted ? this.#readEvent(event) : this.#readOpening(event);
  }

  writeAudio(frame: Uint8Array): Uint8Array {
    return frame;
  }

  writeKeepAlive(): WireMessage {
    return KEEP_ALIVE;
  }

  /** It has no word for what was heard: it stops when it hears the caller itself, else we stop listening. */
  writeInterrupted(): readonly WireMessage[] {
    this.#isInterrupted = this.#isSpeaking;
    return [];
  }

  writeToolResult({ id, name, value }: ToolResult): readonly WireMessage[] {
    const content = JSON.stringify(value);
    return [textMessage({ type: 'FunctionCallResponse', id, name, content })];
  }

  writeContext(text: string): readonly WireMessage[] {
    return [textMessage({ type: 'InjectUserMessage', content: text })];
  }

  #readAudio(message: Uint8Array, into: Inbound): ReadResult {
    if (!this.#hasStarted) return refuse('protocol_violation', 'audio before the settings were applied');
    if (message.length === 0) return IGNORED;
    this.#isSpeaking = true;
    if (this.#isInterrupted) {
      this.stats.droppedAudioMessages++;
      return IGNORED;
    }
    if (!takeBinary(message, into)) return refuse('frame_too_large', `${message.length} bytes of audio`);
    return AUDIO;
  }

  #readOpening(event: JsonObject): ReadResult {
    switch (event['type']) {
      case 'Welcome':
        this.#requestId = nameOf(event['request_id']) ?? null;
        return IGNORED;
      case 'SettingsApplied':
        this.#hasStarted = true;
        return backendStarted(this.#requestId, this.#format, this.#format);
      case 'Error':
        return agentError(event['code'], event['description'], true);
      default:
        return IGNORED;
    }
  }

  #readEvent(event: JsonObject): ReadResult {
    switch (event['type']) {
      case 'ConversationText':
        return transcript(event['role'] === 'user' ? 'caller' : 'agent', event['content']) ?? IGNORED;
      case 'UserStartedSpeaking':
        return this.#turns(false, { type: 'caller_speaking' });
      case 'AgentStartedSpeaking':
        return this.#turns(true, { type: 'agent_speaking', itemId: null });
      case 'AgentAudioDone':
        return this.#turns(false, { type: 'agent_spoke', itemId: null });
      case 'FunctionCallRequest':
        return functionCalls(event['functions']);
      case 'Error':
        return agentError(event['code'], event['description'], true);
      case 'Warning':
        return agentError(event['code'], event['description'], false);
      case 'InjectionRefused':
        return agentError('injection_refused', event['message'], false);
      default:
        return IGNORED;
    }
  }

  /** A turn begins or ends: what comes now is no longer the utterance that was interrupted. */
  #turns(isSpeaking: boolean, input: AgentInput): AgentInput {
    this.#isSpeaking = isSpeaking;
    this.#isInterrupted = false;
    return input;
  }
}

/** `Authorization: Token …`, as all of Deepgram's sockets want it. */
export function deepgramKey({ apiKey, options }: ClientOptions): { readonly [name: string]: string } {
  return keyHeader(apiKey, 'Authorization', optionOf(TOKEN_SCHEME, options) === 'token' ? 'Token' : 'Bearer');
}

/** The calls that are ours to carry out; the others Deepgram's own side makes. */
function functionCalls(functions: unknown): ReadResult {
  if (!Array.isArray(functions)) return IGNORED;
  const inputs = functions.slice(0, FUNCTIONS_MAX).flatMap((one: unknown) => {
    if (!isObject(one) || one['client_side'] === false) return [];
    const [id, name] = [nameOf(one['id']), nameOf(one['name'])];
    return id === undefined || name === undefined ? [] : [toolCall(id, name, one['arguments'])];
  });
  return inputs.length === 1 ? inputs[0]! : inputs.length === 0 ? IGNORED : { type: 'several', inputs };
}
