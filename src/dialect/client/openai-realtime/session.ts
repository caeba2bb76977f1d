import { decodeBase64Into } from '../../../base/base64.ts';
import { refuse } from '../../../base/errors.ts';
import { isObject, parseObject, type JsonObject } from '../../../base/json.ts';
import type { AudioFormat } from '../../../media/format.ts';
import { Base64Template } from '../../base64-template.ts';
import { optionOf } from '../../capabilities.ts';
import type { ClientOptions, ClientRequest, ToolResult } from '../../client.ts';
import { AUDIO, IGNORED, type Inbound, type ReadResult, type WireMessage } from '../../dialect.ts';
import { isRefusal, nameOf } from '../../fields.ts';
import { textMessage } from '../../text-message.ts';
import { agreedFormat, backendStarted, BackendSession } from '../backend-session.ts';
import { agentError } from '../agent-words.ts';
import { backendUrl, keyHeader } from '../backend-url.ts';
import { confirmedFormat } from './confirmed.ts';
import { DeltaScan } from './delta-scan.ts';
import { OpenAiWords } from './words.ts';
import {
  greetingResponse,
  isBeta,
  KEY_HEADER,
  messageItem,
  OPENAI_FORMATS,
  sessionSettings,
  spokenItem,
} from './settings.ts';
import { SpokenItems } from './spoken-items.ts';
import { Turn } from './turn.ts';

const OWN_ADDRESS = 'wss://api.openai.com/v1/realtime';
const MODEL = 'gpt-realtime';
const RESPOND = textMessage({ type: 'response.create' });
const STOP = textMessage({ type: 'response.cancel' });
const AUDIO_KINDS: readonly unknown[] = ['response.output_audio.delta', 'response.audio.delta'];

/** Our side of one Realtime session. */
export class OpenAiSession extends BackendSession {
  readonly audioIsBinary = false;
  readonly request: ClientRequest;
  readonly turn = new Turn();
  readonly items: SpokenItems;
  readonly #options: ClientOptions;
  readonly #format: AudioFormat;
  readonly #settings: JsonObject;
  readonly #scan = new DeltaScan();
  readonly #words: OpenAiWords;
  readonly #audio = new Base64Template('{"type":"input_audio_buffer.append","audio":"', '"}');
  #hasStarted = false;
  #sessionId: string | null = null;

  constructor(options: ClientOptions) {
    super();
    this.#options = options;
    this.#format = agreedFormat(options.format, OPENAI_FORMATS);
    this.#settings = sessionSettings(options, this.#format);
    this.#words = new OpenAiWords(this.turn, this.#settings);
    this.items = new SpokenItems(this.#format);
    this.request = requestOf(options);
  }

  hello(): readonly WireMessage[] {
    const { history, greeting } = this.#options;
    const items = history.map((turn) => itemMessage(spokenItem(turn, this.#options)));
    const response =
      greeting === null || history.length > 0
        ? []
        : [textMessage({ type: 'response.create', response: greetingResponse(greeting) })];
    return [textMessage({ type: 'session.update', session: this.#settings }), ...items, ...response];
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    if (isBinary) return refuse('unsupported_format', 'a binary message');
    if (this.#scan.scan(message, into)) {
      const { itemId, responseId } = this.#scan;
      return this.#takeDelta(message, itemId, responseId, into);
    }
    const event = parseObject(message);
    if (event === undefined) return refuse('not_json', 'a message that is no JSON object');
    if (AUDIO_KINDS.includes(event['type'])) return this.#readDelta(event, into);
    return this.#hasStarted ? this.#words.read(event) : this.#readOpening(event);
  }

  writeAudio(frame: Uint8Array): Uint8Array {
    return this.#audio.write(frame);
  }

  /** The recipe of OpenAI's WebSocket guide: cut the item to what was heard, then stop the response. */
  writeInterrupted(itemId: string | null, playedMs: number): readonly WireMessage[] {
    const { turn, items } = this;
    const cut = itemId ?? items.latestId;
    const sentMs = cut === null ? undefined : items.sentMs(cut);
    const messages: WireMessage[] = [];
    if (cut !== null && sentMs !== undefined && playedMs < sentMs) {
      const audio_end_ms = Math.max(0, Math.floor(playedMs));
      messages.push(
        textMessage({ type: 'conversation.item.truncate', item_id: cut, content_index: 0, audio_end_ms }),
      );
    }
    if (turn.mustCancel) messages.push(STOP);
    if (turn.responseId !== null) items.drop(turn.responseId);
    return messages;
  }

  writeToolResult({ id, value }: ToolResult): readonly WireMessage[] {
    const output = JSON.stringify(value);
    const item = itemMessage({ type: 'function_call_output', call_id: id, output });
    return this.turn.answered(id) ? [item, RESPOND] : [item];
  }

  writeContext(text: string): readonly WireMessage[] {
    return [itemMessage(messageItem(text))];
  }

  #takeDelta(
    message: Uint8Array,
    item: { start: number; end: number },
    response: { start: number; end: number },
    into: Inbound,
  ): ReadResult {
    if (!this.#hasStarted) return refuse('protocol_violation', 'audio before the session was set up');
    return this.items.takeDelta(message, item, response, into.payloadBytes) ? AUDIO : IGNORED;
  }

  /** The careful way, for a delta the scan was not sure of. */
  #readDelta(event: JsonObject, into: Inbound): ReadResult {
    const { delta } = event;
    if (typeof delta !== 'string') return refuse('protocol_violation', 'delta is not text');
    const characters = Buffer.from(delta);
    const written = decodeBase64Into(characters, 0, characters.length, into.payload);
    if (written === 0) return IGNORED;
    if (written < 0) {
      return (characters.length / 4) * 3 > into.payload.length
        ? refuse('frame_too_large', `delta of ${characters.length} characters`)
        : refuse('protocol_violation', 'delta is not base64');
    }
    into.payloadBytes = written;
    into.sequence = -1;
    into.timestampMs = -1;
    const item = Buffer.from(nameOf(event['item_id']) ?? '');
    const response = Buffer.from(nameOf(event['response_id']) ?? '');
    const ids = Buffer.concat([item, response]);
    const itemPlace = { start: item.length === 0 ? -1 : 0, end: item.length };
    return this.#takeDelta(ids, itemPlace, { start: item.length, end: ids.length }, into);
  }

  /** Until the session is as we asked, an error means that it never will be. */
  #readOpening(event: JsonObject): ReadResult {
    const session = isObject(event['session']) ? event['session'] : {};
    switch (event['type']) {
      case 'session.created':
        this.#sessionId = nameOf(session['id']) ?? null;
        return IGNORED;
      case 'session.updated':
        return this.#start(session);
      case 'error': {
        const error = isObject(event['error']) ? event['error'] : {};
        return agentError(error['code'] ?? error['type'], error['message'], true);
      }
      default:
        return IGNORED;
    }
  }

  #start(session: JsonObject): ReadResult {
    const inbound = confirmedFormat(session, 'output', this.#format);
    if (isRefusal(inbound)) return inbound;
    const outbound = confirmedFormat(session, 'input', this.#format);
    if (isRefusal(outbound)) return outbound;
    this.#hasStarted = true;
    return backendStarted(this.#sessionId, inbound, outbound);
  }
}

function requestOf(options: ClientOptions): ClientRequest {
  const { apiKey, url, model } = options;
  const isBearer = optionOf(KEY_HEADER, options.options) === 'authorization';
  return {
    url: backendUrl(url, OWN_ADDRESS, { model: url === null ? (model ?? MODEL) : model }),
    headers: {
      ...(isBearer ? keyHeader(apiKey, 'Authorization', 'Bearer') : keyHeader(apiKey, 'api-key', '')),
      ...(isBeta(options) ? { 'OpenAI-Beta': 'realtime=v1' } : {}),
    },
    subprotocols: [],
  };
}

function itemMessage(item: JsonObject): WireMessage {
  return textMessage({ type: 'conversation.item.create', item });
}
