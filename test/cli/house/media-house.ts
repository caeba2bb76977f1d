import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { DialectSession, LegStarted } from '../../../src/dialect/dialect.ts';
import { dialectOf } from '../../../src/dialect/registry.ts';
import { given, NO_UPGRADE, openInbound } from '../../dialect/wire.ts';

export interface HouseWish {
  /** Sends back what it hears. */
  readonly echoes?: boolean;
  /** Answers upgrades with this status. */
  readonly refusal?: number;
  /** May the key read events? */
  readonly hasEvents?: boolean;
  /** Never tells that a call is completed. */
  readonly isForgetful?: boolean;
}

/** A house of straw on one port: sessions, the event stream, and an echo that speaks the real dialects. */
export class MediaHouse {
  readonly requests: string[] = [];
  readonly started: LegStarted[] = [];
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'omnivoice.v1' });
  readonly #streams = new Set<ServerResponse>();
  readonly #wish: HouseWish;
  readonly #sequences = new Map<string, number>();
  #calls = 0;

  private constructor(wish: HouseWish) {
    this.#wish = wish;
    this.#server = createServer((request, response) => this.#serve(request, response));
    this.#server.on('upgrade', (request, socket, head) => {
      if (wish.refusal !== undefined) {
        const body = JSON.stringify({
          success: false,
          error: { code: 'unauthenticated', message: 'spent token' },
        });
        socket.end(
          `HTTP/1.1 ${wish.refusal} No\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
        );
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#talk(webSocket, request));
    });
  }

  static async open(wish: HouseWish = {}): Promise<MediaHouse> {
    const house = new MediaHouse(wish);
    await new Promise<void>((resolve) => house.#server.listen(0, '127.0.0.1', resolve));
    return house;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get mediaUrl(): string {
    return `ws://127.0.0.1:${this.port}/media`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '' } = request;
    const { pathname } = new URL(url, this.url);
    this.requests.push(`${method} ${url}`);
    request.resume();
    if (pathname === '/api/v1/voice/sessions') return this.#answer(response, 200, this.#session());
    if (pathname === '/api/v1/calls') return this.#answer(response, 200, []);
    if (pathname !== '/api/v1/events/stream') return this.#answer(response, 404, {});
    if (this.#wish.hasEvents === false) return this.#answer(response, 403, {});
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('retry: 1000\nid: e-0\n\n');
    this.#streams.add(response);
  }

  #answer(response: ServerResponse, status: number, data: unknown): void {
    const error = { code: status === 403 ? 'permission_denied' : 'not_found', message: 'no' };
    const body = status === 200 ? { success: true, data, meta: {} } : { success: false, error };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  #session(): object {
    const callId = `call_${++this.#calls}`;
    return { session_id: 'vs', call_id: callId, token: `eyJ.${callId}.x`, ws_url: `${this.mediaUrl}/native` };
  }

  #talk(webSocket: WebSocket, request: IncomingMessage): void {
    const offered = `${request.url} ${request.headers['sec-websocket-protocol'] ?? ''}`;
    const callId = /call_\d+/.exec(offered)?.[0] ?? 'call_0';
    const session = dialectOf(/\/media\/(\w+)/.exec(offered)![1]!)!.openSession({
      nowMs: 0,
      upgrade: NO_UPGRADE,
      options: {},
    });
    const inbound = openInbound();
    let audioMessages = 0;
    webSocket.on('message', (bytes, isBinary) => {
      const read = session.read(bytes as Buffer, isBinary, inbound);
      if (read.type === 'audio' && this.#wish.echoes !== false) {
        const frame = inbound.payload.slice(0, inbound.payloadBytes);
        webSocket.send(given(session.writeAudio(frame)), { binary: session.audioIsBinary });
      }
      // The second frame decides.
      if (read.type === 'audio' && ++audioMessages === 2) {
        this.#tell(callId, 'voice_detected', { role: 'caller', onset_ms: 0, at_ms: 40 });
      }
      if (read.type === 'started') this.#start(read, callId, session, webSocket);
      if (read.type === 'hung_up') {
        webSocket.close(1000, 'provider_stop');
        if (this.#wish.isForgetful !== true) this.#tell(callId, 'call_completed', {});
      }
    });
  }

  #start(started: LegStarted, callId: string, session: DialectSession, webSocket: WebSocket): void {
    this.started.push(started);
    const resume = { resumeToken: null, resumeUrls: [], resumeWindowMs: 0, resumed: false };
    const words = session.writeStarted({ callId, legId: 'leg_1', ...resume });
    if (words !== undefined) webSocket.send(words.bytes, { binary: words.isBinary });
    const metadata = { provider_call_id: started.providerCallId };
    this.#tell(callId, 'call_started', { direction: 'inbound', metadata });
  }

  #tell(callId: string, type: string, data: object): void {
    const sequence = (this.#sequences.get(callId) ?? 0) + 1;
    this.#sequences.set(callId, sequence);
    const envelope = {
      id: `evt_${callId}_${sequence}`,
      type,
      created_at: new Date().toISOString(),
      resource: { type: 'call', id: callId },
      sequence,
      data,
    };
    for (const stream of this.#streams)
      stream.write(`id: e-${sequence}\ndata: ${JSON.stringify(envelope)}\n\n`);
  }
}
