import type { WebSocket } from 'ws';
import { isObject, type JsonObject } from '../../src/base/json.ts';
import { BackendServer } from './backend-server.ts';

export const DEEPGRAM_KEY = 'dg-test-key';

const ENCODINGS: readonly unknown[] = ['linear16', 'mulaw', 'alaw'];

/**
 * A server shaped like Deepgram's two sockets (deepgram/deepgram-api-specs asyncapi.yml at 4ba987c): the voice
 * agent, which wants its settings first, and the recogniser, which says nothing until it heard something.
 */
export class DeepgramServer {
  readonly events: JsonObject[] = [];
  readonly heard: Buffer[] = [];
  isApplyingSettings = true;
  closedWith: number | undefined;
  #server: BackendServer | undefined;
  #socket: WebSocket | undefined;
  #hasSettings = false;

  static async open(): Promise<DeepgramServer> {
    const server = new DeepgramServer();
    server.#server = await BackendServer.open(
      (socket, { url = '' }) => server.#welcome(socket, url.startsWith('/v1/agent/')),
      { refuse: ({ headers }) => (headers.authorization === `Token ${DEEPGRAM_KEY}` ? undefined : 401) },
    );
    return server;
  }

  get agentUrl(): string {
    return `${this.#server!.url}/v1/agent/converse`;
  }

  get listenUrl(): string {
    return `${this.#server!.url}/v1/listen`;
  }

  get requests(): BackendServer['requests'] {
    return this.#server!.requests;
  }

  get settings(): JsonObject {
    return this.events.find(({ type }) => type === 'Settings') ?? {};
  }

  told(type: string): readonly JsonObject[] {
    return this.events.filter((event) => event['type'] === type);
  }

  say(event: JsonObject | Buffer): void {
    this.#socket!.send(event instanceof Buffer ? event : JSON.stringify(event));
  }

  close(): Promise<void> {
    return this.#server!.close();
  }

  #welcome(socket: WebSocket, isAgent: boolean): void {
    this.#socket = socket;
    this.#hasSettings = !isAgent;
    socket.on('message', (message, isBinary) => this.#hear(message as Buffer, isBinary));
    socket.on('close', (closeCode) => (this.closedWith = closeCode));
    if (isAgent) this.say({ type: 'Welcome', request_id: 'b1a2' });
  }

  #hear(message: Buffer, isBinary: boolean): void {
    if (isBinary) {
      if (this.#hasSettings) this.heard.push(message);
      else this.#fail('BINARY_MESSAGE_BEFORE_SETTINGS');
      return;
    }
    const event = JSON.parse(message.toString()) as JsonObject;
    this.events.push(event);
    if (event['type'] === 'Settings') this.#apply(event);
    // What is left is written down, and then it closes.
    if (event['type'] === 'CloseStream') this.#socket!.close(1000);
  }

  #apply({ audio, agent }: JsonObject): void {
    const isGood = isObject(audio) && isAudio(audio['input']) && isAudio(audio['output']) && isObject(agent);
    if (!isGood) return this.#fail('INVALID_SETTINGS');
    if (!this.isApplyingSettings) return;
    this.#hasSettings = true;
    this.say({ type: 'SettingsApplied' });
  }

  #fail(code: string): void {
    this.say({ type: 'Error', description: code.toLowerCase(), code });
    this.#socket!.close(1008);
  }
}

function isAudio(value: unknown): boolean {
  return isObject(value) && ENCODINGS.includes(value['encoding']) && typeof value['sample_rate'] === 'number';
}
