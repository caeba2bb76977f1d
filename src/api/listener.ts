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
// Of those nobody has asked anything on. TLS takes 0.7 ms to end each whose handshake was not made, and
// strangers may leave all at once: the loop must not stand still for as long as a watchdog waits.
const FRESH_MAX = 512;

/** How many connections there may be, and how many of them on which nothing was asked yet. */
export interface ConnectionRoom {
  readonly connectionsMax: number;
  readonly freshMax: number;
}

const ROOM: ConnectionRoom = { connectionsMax: CONNECTIONS_MAX, freshMax: FRESH_MAX };

/** The server under the API, and its connections. */
export class Listener {
  readonly server: Server;
  readonly stats = { idleEnded: 0, refused: 0, acceptsFailed: 0, handshakesFailed: 0 };
  readonly #clock: Pick<Clock, 'after'>;
  readonly #room: ConnectionRoom;
  readonly #sockets = new Set<Socket>();
  /** On which nothing was asked yet, by their ends, the longest first. */
  readonly #fresh = new Map<string, Socket>();
  /** On which everything is answered, likewise. */
  readonly #idle = new Map<string, Socket>();

  constructor(tls: TlsPair | undefined, clock: Pick<Clock, 'after'>, room = ROOM) {
    this.#clock = clock;
    this.#room = room;
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
    this.#keepCount();
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
    for (const socket of this.#fresh.values()) socket.destroy();
    const cancel = this.#clock.after(CLOSE_GRACE_MS, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    await stop();
    cancel();
  }

  #keepCount(): void {
    const { server } = this;
    server.on('connection', (socket) => this.#take(socket));
    server.on('request', (request, response) => this.#watch(request, response));
    server.on('upgrade', ({ socket }) => this.#asked(endsOf(socket)));
    // An answer would wait for the handshake, and its connection for the answer.
    server.on('tlsClientError', (_error, socket) => {
      this.stats.handshakesFailed++;
      socket.destroy();
    });
    // An accept that fails (no file descriptors left) costs that connection, not the process.
    server.on('error', () => this.stats.acceptsFailed++);
  }

  /** Who comes when all places are taken has the place of the longest idle, if there is one. */
  #take(socket: Socket): void {
    const { connectionsMax, freshMax } = this.#room;
    const isFull = this.#sockets.size >= connectionsMax || this.#fresh.size >= freshMax;
    if (isFull && !this.#endLongestIdle()) {
      this.stats.refused++;
      socket.destroy();
      return;
    }
    const ends = endsOf(socket);
    this.#sockets.add(socket);
    this.#fresh.set(ends, socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#fresh.get(ends) === socket) this.#fresh.delete(ends);
      if (this.#idle.get(ends) === socket) this.#idle.delete(ends);
    });
  }

  #endLongestIdle(): boolean {
    const [longest] = this.#fresh.size > 0 ? this.#fresh : this.#idle;
    if (longest === undefined) return false;
    const [ends, socket] = longest;
    this.stats.idleEnded++;
    this.#asked(ends);
    this.#sockets.delete(socket);
    socket.destroy();
    return true;
  }

  #watch({ socket }: IncomingMessage, response: ServerResponse): void {
    const ends = endsOf(socket);
    const plain = this.#asked(ends);
    if (plain === undefined) return;
    response.once('close', () => {
      if (this.#sockets.has(plain)) this.#idle.set(ends, plain);
    });
  }

  /** Something is under way on it: it is neither fresh nor idle. */
  #asked(ends: string): Socket | undefined {
    const socket = this.#fresh.get(ends) ?? this.#idle.get(ends);
    this.#fresh.delete(ends);
    this.#idle.delete(ends);
    return socket;
  }
}

/** One name for a connection and for what is spoken over it: with TLS these are two objects. */
function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}
