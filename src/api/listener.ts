import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { TlsPair } from './api-options.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const CONNECTIONS_CHECKED_EVERY_MS = 5_000;
// Longer than a reader of streams is given for its last bytes.
const CLOSE_GRACE_MS = 6_000;
// Each is a file descriptor: without a limit strangers take them all, and hooks, store and nodes go without.
const CONNECTIONS_MAX = 4_096;

/** The server under the API, and its connections. */
export class Listener {
  readonly server: Server;
  readonly stats = { idleEnded: 0, refused: 0, acceptsFailed: 0 };
  readonly #clock: Pick<Clock, 'after'>;
  readonly #connectionsMax: number;
  readonly #sockets = new Set<Socket>();
  readonly #unused = new Set<Socket>();
  /** On which no request is under way, by their ends, the longest idle first. */
  readonly #idle = new Map<string, Socket>();

  constructor(tls: TlsPair | undefined, clock: Pick<Clock, 'after'>, connectionsMax = CONNECTIONS_MAX) {
    this.#clock = clock;
    this.#connectionsMax = connectionsMax;
    const timeouts = {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CONNECTIONS_CHECKED_EVERY_MS,
    };
    // One type for both: fastify and we use only what plain and secure servers share.
    this.server =
      tls === undefined
        ? createServer(timeouts)
        : createTlsServer({ ...timeouts, ...tls, handshakeTimeout: HEADERS_TIMEOUT_MS });
    this.#keepCount(tls === undefined ? 'connection' : 'secureConnection');
  }

  /** The port it really listens on; 0 before. */
  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** New connections use the renewed certificate; those that are open go on. */
  reloadTls(pair: TlsPair): void {
    if (this.server instanceof TlsServer) this.server.setSecureContext(pair);
  }

  /** Runs what stops the server, which waits for its connections, and sees that this has an end. */
  async closing(stop: () => Promise<void>): Promise<void> {
    // Node ends connections that idle between requests, but not those that browsers open ahead of need.
    for (const socket of this.#unused) socket.destroy();
    const cancel = this.#clock.after(CLOSE_GRACE_MS, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    await stop();
    cancel();
  }

  #keepCount(opened: 'connection' | 'secureConnection'): void {
    const { server } = this;
    server.on('connection', (socket) => this.#take(socket));
    server.on(opened, (socket: Socket) => track(this.#unused, socket));
    const used = ({ socket }: IncomingMessage): void => void this.#unused.delete(socket);
    server.on('request', used).on('upgrade', used);
    server.on('request', (request, response) => this.#watch(request, response));
    server.on('upgrade', ({ socket }) => this.#idle.delete(endsOf(socket)));
    // An accept that fails (no file descriptors left) costs that connection, not the process.
    server.on('error', () => this.stats.acceptsFailed++);
  }

  /** Who comes when all places are taken has the place of the longest idle, if there is one. */
  #take(socket: Socket): void {
    if (this.#sockets.size >= this.#connectionsMax && !this.#endIdle()) {
      this.stats.refused++;
      socket.destroy();
      return;
    }
    const ends = endsOf(socket);
    track(this.#sockets, socket);
    this.#idle.set(ends, socket);
    socket.once('close', () => this.#idle.delete(ends));
  }

  #endIdle(): boolean {
    const [longest] = this.#idle;
    if (longest === undefined) return false;
    const [ends, socket] = longest;
    this.stats.idleEnded++;
    this.#idle.delete(ends);
    this.#sockets.delete(socket);
    socket.destroy();
    return true;
  }

  #watch({ socket }: IncomingMessage, response: ServerResponse): void {
    const ends = endsOf(socket);
    const plain = this.#idle.get(ends);
    if (plain === undefined) return;
    this.#idle.delete(ends);
    response.once('close', () => {
      if (this.#sockets.has(plain)) this.#idle.set(ends, plain);
    });
  }
}

/** One name for a connection and for what is spoken over it: with TLS these are two objects. */
function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}

function track(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
}
