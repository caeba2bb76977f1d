import { isObject, numberOf, textOf, type JsonObject } from '../../../base/json.ts';
import type { AgentInput } from '../../client.ts';
import { IGNORED, type LegInput, type ReadResult } from '../../dialect.ts';
import { nameOf } from '../../fields.ts';
import { textMessage } from '../../text-message.ts';
import { agentError, toolCall, transcript } from '../agent-words.ts';
import { PartialTexts } from '../partial-texts.ts';
import type { Turn } from './turn.ts';

const RESPOND: LegInput = { type: 'reply', message: textMessage({ type: 'response.create' }) };
const CALLER_SPEAKING: AgentInput = { type: 'caller_speaking' };

/** After these nothing more will come of the connection; everything else OpenAI calls recoverable. */
const FATAL_CODES: readonly unknown[] = [
  'session_expired',
  'invalid_api_key',
  'insufficient_quota',
  'model_not_found',
  'account_deactivated',
];
/** It had already stopped when we asked: both of us were right. */
const HARMLESS_CODES: readonly unknown[] = ['response_cancel_not_active'];
const BUSY_CODE = 'conversation_already_has_active_response';
const CALLER_TEXT = 'conversation.item.input_audio_transcription';

/** Media times of one thing the caller said, as the backend heard them. */
interface HeardTimes {
  startMs: number | null;
  endMs: number | null;
}

const HEARD_MAX = 16;

/** Every event of a session that is set up, but its audio: in GA and in beta names. */
export class OpenAiWords {
  readonly #turn: Turn;
  readonly #interruptsItself: boolean;
  readonly #texts = new PartialTexts();
  readonly #heard = new Map<string, HeardTimes>();

  constructor(turn: Turn, settings: JsonObject) {
    this.#turn = turn;
    this.#interruptsItself = interruptsItself(settings);
  }

  read(event: JsonObject): ReadResult {
    switch (event['type']) {
      case 'input_audio_buffer.speech_started':
        return this.#callerBegan(event);
      case 'input_audio_buffer.speech_stopped':
        this.#heardAt(event).endMs = msOf(event['audio_end_ms']);
        return IGNORED;
      case 'response.created':
        return this.#responseBegan(event);
      case 'response.done':
        return this.#responseEnded(event);
      case 'response.output_item.added':
        return this.#itemBegan(event);
      case 'response.output_item.done':
        return isObject(event['item']) ? this.#called(event['item']) : IGNORED;
      case 'response.function_call_arguments.done':
        return this.#called(event);
      case 'response.output_audio.done':
      case 'response.audio.done':
        return { type: 'agent_spoke', itemId: nameOf(event['item_id']) ?? null };
      case 'error':
        return this.#failed(event['error']);
      default:
        return this.#readText(event);
    }
  }

  #readText(event: JsonObject): ReadResult {
    const id = nameOf(event['item_id']) ?? '';
    switch (event['type']) {
      case 'response.output_audio_transcript.delta':
      case 'response.audio_transcript.delta':
        return transcript('agent', this.#grow(id, event), { isFinal: false }) ?? IGNORED;
      case 'response.output_audio_transcript.done':
      case 'response.audio_transcript.done':
        this.#texts.done(id);
        return transcript('agent', event['transcript']) ?? IGNORED;
      case `${CALLER_TEXT}.delta`:
        return transcript('caller', this.#grow(id, event), { isFinal: false }) ?? IGNORED;
      case `${CALLER_TEXT}.completed`: {
        this.#texts.done(id);
        const times = this.#heard.get(id) ?? { startMs: null, endMs: null };
        return transcript('caller', event['transcript'], times) ?? IGNORED;
      }
      case `${CALLER_TEXT}.failed`:
        return this.#failed(event['error']);
      default:
        return IGNORED;
    }
  }

  #callerBegan(event: JsonObject): AgentInput {
    this.#heardAt(event).startMs = msOf(event['audio_start_ms']);
    this.#turn.heardCaller(this.#interruptsItself);
    return CALLER_SPEAKING;
  }

  #responseBegan({ response }: JsonObject): ReadResult {
    const id = isObject(response) ? nameOf(response['id']) : undefined;
    if (id !== undefined) this.#turn.began(id);
    return IGNORED;
  }

  #responseEnded({ response }: JsonObject): ReadResult {
    const owed: LegInput[] = this.#turn.ended() ? [RESPOND] : [];
    const failure = isObject(response) && response['status'] === 'failed' ? failureOf(response) : undefined;
    return severally([...(failure === undefined ? [] : [failure]), ...owed]);
  }

  #itemBegan({ item }: JsonObject): ReadResult {
    if (!isObject(item)) return IGNORED;
    if (item['type'] === 'message') return { type: 'agent_speaking', itemId: nameOf(item['id']) ?? null };
    const [callId, name] = [nameOf(item['call_id']), nameOf(item['name'])];
    if (item['type'] === 'function_call' && callId !== undefined && name !== undefined) {
      this.#turn.named(callId, name);
    }
    return IGNORED;
  }

  /** A call is whole with its arguments; its item says it again, for who left the name out before. */
  #called(said: JsonObject): ReadResult {
    const callId = nameOf(said['call_id']);
    if (callId === undefined || said['arguments'] === undefined) return IGNORED;
    const name = nameOf(said['name']) ?? this.#turn.nameOf(callId);
    if (name === undefined || !this.#turn.report(callId)) return IGNORED;
    return toolCall(callId, name, said['arguments']);
  }

  #failed(given: unknown): ReadResult {
    const error = isObject(given) ? given : {};
    const code = error['code'] ?? error['type'];
    if (HARMLESS_CODES.includes(code)) return IGNORED;
    if (code !== BUSY_CODE) return errorOf(error);
    this.#turn.owe();
    return IGNORED;
  }

  #grow(id: string, event: JsonObject): string {
    return this.#texts.grow(id, textOf(event['delta']) ?? '');
  }

  #heardAt(event: JsonObject): HeardTimes {
    const id = nameOf(event['item_id']) ?? '';
    const known = this.#heard.get(id);
    if (known !== undefined) return known;
    const times: HeardTimes = { startMs: null, endMs: null };
    this.#heard.set(id, times);
    for (const oldest of this.#heard.keys()) {
      if (this.#heard.size <= HEARD_MAX) break;
      this.#heard.delete(oldest);
    }
    return times;
  }
}

function errorOf(error: JsonObject): AgentInput {
  const code = error['code'] ?? error['type'];
  return agentError(code, error['message'], FATAL_CODES.includes(code));
}

/** Why a response failed: `status_details.error`. */
function failureOf(response: JsonObject): AgentInput {
  const details = response['status_details'];
  const error = isObject(details) && isObject(details['error']) ? details['error'] : {};
  return errorOf({ code: 'response_failed', message: 'the response failed', ...error });
}

function severally(inputs: readonly LegInput[]): ReadResult {
  const [only] = inputs;
  if (only === undefined) return IGNORED;
  if (inputs.length === 1) return only;
  return { type: 'several', inputs: inputs as Extract<LegInput, { type: 'several' }>['inputs'] };
}

function interruptsItself(settings: JsonObject): boolean {
  const audio = isObject(settings['audio']) ? settings['audio'] : {};
  const input = isObject(audio['input']) ? audio['input'] : {};
  const detection = 'turn_detection' in settings ? settings['turn_detection'] : input['turn_detection'];
  return isObject(detection) && detection['interrupt_response'] !== false;
}

function msOf(value: unknown): number | null {
  const ms = numberOf(value);
  return ms !== undefined && ms >= 0 ? Math.round(ms) : null;
}
