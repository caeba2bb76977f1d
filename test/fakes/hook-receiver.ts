import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** One request as it arrived. */
export interface ReceivedHook {
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
  readonly atMs: number;
}

/** How the receiver behaves towards the `number`-th request, from 1. */
export type Behaviour = (response: ServerResponse, number: number, hook: ReceivedHook) => void;

/** Ways to answer, good and bad. */
export const answers = {
  status:
    (status: number, headers: Record<string, string> = {}, body = ''): Behaviour =>
    (response) => {
      response.writeHead(status, headers).end(body);
    },
  /** Takes the request and says nothing. */
  silence: (): Behaviour => () => undefined,
  /** Breaks the connection with a reset. */
  reset: (): Behaviour => (response) => {
    (response.socket as Socket).resetAndDestroy();
  },
  /** A good status, and then a byte every 20 ms. */
  drip: (): Behaviour => (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('.'), 20);
    response.on('close', () => clearInterval(timer));
  },
  /** As much body as the sender will take. */
  flood: (): Behaviour => (response) => {
    response.writeHead(200);
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const pour = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', pour);
    pour();
  },
  /** Each behaviour once, then the last again and again. */
  inTurn:
    (...behaviours: readonly Behaviour[]): Behaviour =>
    (response, number, hook) => {
      behaviours[Math.min(number, behaviours.length) - 1]!(response, number, hook);
    },
};

/** A real HTTP server on 127.0.0.1 that receives hooks and misbehaves on request. */
export class HookReceiver {
  readonly received: ReceivedHook[] = [];
  behaviour: Behaviour;
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, behaviour: Behaviour) {
    this.#server = server;
    this.behaviour = behaviour;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void this.#receive(request, response);
    });
    server.on('connection', (socket: Socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    });
  }

  static async open(
    behaviour: Behaviour = answers.status(200),
    options: { port?: number; tls?: { key: string; cert: string } } = {},
  ): Promise<HookReceiver> {
    const { tls } = options;
    const server = tls === undefined ? createServer() : (createTlsServer(tls) as unknown as Server);
    server.keepAliveTimeout = 60_000;
    const receiver = new HookReceiver(server, behaviour);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path = '/hook'): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Resets what is open, as a killed process does, and listens on. */
  cutConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    this.cutConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The sender left in mid-request: nothing was received.
      return;
    }
    const hook: ReceivedHook = {
      path: request.url ?? '',
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      ),
      body: Buffer.concat(chunks).toString('utf8'),
      atMs: performance.now(),
    };
    this.received.push(hook);
    this.behaviour(response, this.received.length, hook);
  }
}
