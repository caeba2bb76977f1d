import type { WebSocket } from 'ws';
import { isObject, type JsonObject } from '../../src/base/json.ts';
import { overlay } from '../../src/dialect/client/overlay.ts';
import { BackendServer } from './backend-server.ts';

export const OPENAI_KEY = 'sk-test-key';

type Generation = 'ga' | 'beta';

/** Event names that differ between the two generations. */
const NAMES = {
  ga: {
    audio: 'response.output_audio',
    transcript: 'response.output_audio_transcript',
    item: 'conversation.item.added',
  },
  beta: {
    audio: 'response.audio',
    transcript: 'response.audio_transcript',
    item: 'conversation.item.created',
  },
} as const;
const BYTES_PER_MS: { readonly [format: string]: number } = {
  'audio/pcmu': 8,
  'audio/pcma': 8,
  'audio/pcm': 48,
  g711_ulaw: 8,
  g711_alaw: 8,
  pcm16: 48,
};

interface SpokenItem {
  audioMs: number;
}

interface ActiveResponse {
  readonly id: string;
  readonly itemId: string;
}

/**
 * A server shaped like OpenAI's Realtime API, over a real WebSocket: it checks what clients send as strictly
 * as the real one, and says what a test wants said. One session at a time.
 */
export class OpenAiRealtimeServer {
  readonly events: JsonObject[] = [];
  /** Bytes of audio that were appended. */
  readonly heard: Buffer[] = [];
  readonly items: JsonObject[] = [];
  session: JsonObject = {};
  /** What the next responses say, unless a test lets them wait. */
  speech: Buffer = Buffer.alloc(1600, 0x5a);
  isHoldingResponses = false;
  readonly #generation: Generation;
  readonly #spoken = new Map<string, SpokenItem>();
  #server: BackendServer | undefined;
  #socket: WebSocket | undefined;
  #ids = 0;
  #active: ActiveResponse | undefined;

  private constructor(generation: Generation) {
    this.#generation = generation;
  }

  static async open(generation: Generation = 'ga', isTls = true): Promise<OpenAiRealtimeServer> {
    const server = new OpenAiRealtimeServer(generation);
    server.#server = await BackendServer.open((socket) => server.#welcome(socket), {
      isTls,
      refuse: ({ headers, url }) => {
        const isKnown = headers.authorization === `Bearer ${OPENAI_KEY}` || headers['api-key'] === OPENAI_KEY;
        if (!isKnown) return 401;
        if (!url?.includes('model=')) return 400;
        return generation === 'beta' && headers['openai-beta'] !== 'realtime=v1' ? 400 : undefined;
      },
    });
    return server;
  }

  get url(): string {
    return `${this.#server!.url}/v1/realtime`;
  }

  get baseUrl(): string {
    return `${this.#server!.url.replace('wss:', 'https:')}/v1`;
  }

  get requests(): BackendServer['requests'] {
    return this.#server!.requests;
  }

  /** Events of a type, in order. */
  told(type: string): readonly JsonObject[] {
    return this.events.filter((event) => event['type'] === type);
  }

  close(): Promise<void> {
    return this.#server!.close();
  }

  /** Ends the connection, as the network or a limit of the service does. */
  hangUp(closeCode = 1000): void {
    this.#socket!.close(closeCode);
  }

  /** Whatever a test wants to be on the wire. */
  say(event: JsonObject | string): void {
    const text = typeof event === 'string' ? event : { event_id: this.#id('event'), ...event };
    this.#socket!.send(typeof text === 'string' ? text : JSON.stringify(text));
  }

  /** The caller begins to speak: where it may, the server stops its own response. */
  hearCaller(startMs: number, endMs: number, text: string): void {
    const item_id = this.#id('item_U');
    this.say({ type: 'input_audio_buffer.speech_started', audio_start_ms: startMs, item_id });
    if (this.#detection['interrupt_response'] === true) this.#cancel('turn_detected');
    this.say({ type: 'input_audio_buffer.speech_stopped', audio_end_ms: endMs, item_id });
    this.say({ type: 'input_audio_buffer.committed', previous_item_id: null, item_id });
    const said = 'conversation.item.input_audio_transcription';
    this.say({ type: `${said}.delta`, item_id, content_index: 0, delta: text.slice(0, 3) });
    this.say({ type: `${said}.completed`, item_id, content_index: 0, transcript: text });
  }

  /** Begins a response and its item; ids are the next ones. */
  beginResponse(): ActiveResponse {
    const response = { id: this.#id('resp'), itemId: this.#id('item_A') };
    this.#active = response;
    this.#spoken.set(response.itemId, { audioMs: 0 });
    this.say({ type: 'response.created', response: { id: response.id, status: 'in_progress' } });
    this.say({
      type: 'response.output_item.added',
      response_id: response.id,
      output_index: 0,
      item: { id: response.itemId, type: 'message', role: 'assistant' },
    });
    return response;
  }

  speak(response: ActiveResponse, audio: Buffer): void {
    const item = this.#spoken.get(response.itemId)!;
    item.audioMs += audio.length / this.#bytesPerMs;
    this.say({
      type: `${this.#names.audio}.delta`,
      ...this.#partOf(response),
      delta: audio.toString('base64'),
    });
  }

  endResponse(response: ActiveResponse, transcript: string): void {
    const part = this.#partOf(response);
    this.say({ type: `${this.#names.transcript}.delta`, ...part, delta: transcript });
    this.say({ type: `${this.#names.audio}.done`, ...part });
    this.say({ type: `${this.#names.transcript}.done`, ...part, transcript });
    this.#finish(response, 'completed');
  }

  /** One response that calls functions and says nothing. */
  callFunctions(...calls: { id: string; name: string; arguments: string }[]): void {
    const response = { id: this.#id('resp'), itemId: this.#id('item_F') };
    this.#active = response;
    this.say({ type: 'response.created', response: { id: response.id, status: 'in_progress' } });
    for (const call of calls) {
      const item = { id: response.itemId, type: 'function_call', call_id: call.id, name: call.name };
      const place = { response_id: response.id, item_id: response.itemId, output_index: 0 };
      this.say({ type: 'response.output_item.added', ...place, item });
      const named = this.#generation === 'ga' ? { name: call.name } : {};
      const done = { call_id: call.id, arguments: call.arguments, ...named };
      this.say({ type: 'response.function_call_arguments.done', ...place, ...done });
      this.say({
        type: 'response.output_item.done',
        ...place,
        item: { ...item, arguments: call.arguments },
      });
    }
    if (!this.isHoldingResponses) this.#finish(response, 'completed');
  }

  /** Ends whatever response is still open. */
  finishActive(): void {
    if (this.#active !== undefined) this.#finish(this.#active, 'completed');
  }

  #welcome(socket: WebSocket): void {
    this.#socket = socket;
    this.session =
      this.#generation === 'ga'
        ? { type: 'realtime', model: 'gpt-realtime', audio: { input: {}, output: {} } }
        : { model: 'gpt-4o-realtime-preview', input_audio_format: 'pcm16', output_audio_format: 'pcm16' };
    socket.on('message', (message, isBinary) => {
      if (isBinary) return socket.close(1003);
      this.#hear(JSON.parse((message as Buffer).toString()) as JsonObject);
    });
    this.say({ type: 'session.created', session: { id: this.#id('sess'), ...this.session } });
  }

  #hear(event: JsonObject): void {
    this.events.push(event);
    switch (event['type']) {
      case 'session.update':
        return this.#update(event);
      case 'input_audio_buffer.append':
        return this.#append(event);
      case 'conversation.item.create':
        return this.#createItem(event);
      case 'conversation.item.truncate':
        return this.#truncate(event);
      case 'response.create':
        return this.#respond(event);
      case 'response.cancel':
        if (this.#active === undefined) return this.#fail(event, 'response_cancel_not_active');
        return this.#cancel('client_cancelled');
      default:
        return this.#fail(event, 'unknown_event');
    }
  }

  #update(event: JsonObject): void {
    const { session } = event;
    if (!isObject(session)) return this.#fail(event, 'missing_required_parameter');
    if (this.#generation === 'ga' && session['type'] !== 'realtime') {
      return this.#fail(event, 'missing_required_parameter');
    }
    if (this.#generation === 'beta' && 'type' in session) return this.#fail(event, 'unknown_parameter');
    this.session = overlay(this.session, session);
    if (!(this.#outputFormat in BYTES_PER_MS)) return this.#fail(event, 'invalid_value');
    this.say({ type: 'session.updated', session: this.session });
  }

  #append(event: JsonObject): void {
    const { audio } = event;
    if (typeof audio !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(audio)) {
      return this.#fail(event, 'invalid_value');
    }
    this.heard.push(Buffer.from(audio, 'base64'));
  }

  #createItem(event: JsonObject): void {
    const { item } = event;
    if (!isObject(item)) return this.#fail(event, 'missing_required_parameter');
    const given = { id: this.#id('item'), ...item };
    this.items.push(given);
    this.say({ type: this.#names.item, previous_item_id: null, item: given });
    if (this.#generation === 'ga') {
      this.say({ type: 'conversation.item.done', previous_item_id: null, item: given });
    }
  }

  #truncate(event: JsonObject): void {
    const { item_id, content_index, audio_end_ms } = event;
    const item = this.#spoken.get(String(item_id));
    if (item === undefined) return this.#fail(event, 'item_not_found');
    const isWithin = typeof audio_end_ms === 'number' && audio_end_ms <= item.audioMs;
    if (content_index !== 0 || !Number.isInteger(audio_end_ms) || !isWithin) {
      return this.#fail(event, 'invalid_value');
    }
    this.say({ type: 'conversation.item.truncated', item_id, content_index, audio_end_ms });
  }

  #respond(event: JsonObject): void {
    if (this.#active !== undefined) return this.#fail(event, 'conversation_already_has_active_response');
    if (this.isHoldingResponses) return;
    const response = this.beginResponse();
    for (let at = 0; at < this.speech.length; at += 800) {
      this.speak(response, this.speech.subarray(at, at + 800));
    }
    this.endResponse(response, 'Hello there.');
  }

  #cancel(reason: string): void {
    if (this.#active !== undefined) this.#finish(this.#active, 'cancelled', { type: 'cancelled', reason });
  }

  #finish(response: ActiveResponse, status: string, status_details: JsonObject | null = null): void {
    this.#active = undefined;
    this.say({ type: 'response.done', response: { id: response.id, status, status_details } });
  }

  #fail(event: JsonObject, code: string): void {
    const error = { type: 'invalid_request_error', code, message: `${code}: ${String(event['type'])}` };
    this.say({ type: 'error', error: { ...error, param: null, event_id: event['event_id'] ?? null } });
  }

  get #names(): (typeof NAMES)[Generation] {
    return NAMES[this.#generation];
  }

  get #outputFormat(): string {
    const { audio } = this.session;
    const output = isObject(audio) && isObject(audio['output']) ? audio['output'] : {};
    const format = this.#generation === 'ga' ? output['format'] : this.session['output_audio_format'];
    return isObject(format) ? String(format['type']) : String(format);
  }

  get #bytesPerMs(): number {
    return BYTES_PER_MS[this.#outputFormat]!;
  }

  get #detection(): JsonObject {
    const { audio, turn_detection } = this.session;
    const input = isObject(audio) && isObject(audio['input']) ? audio['input'] : {};
    const detection = this.#generation === 'ga' ? input['turn_detection'] : turn_detection;
    return isObject(detection) ? detection : {};
  }

  #partOf({ id, itemId }: ActiveResponse): JsonObject {
    return { response_id: id, item_id: itemId, output_index: 0, content_index: 0 };
  }

  #id(prefix: string): string {
    this.#ids++;
    return `${prefix}_${this.#ids}`;
  }
}
