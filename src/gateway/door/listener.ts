import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { hasCode, refuse } from '../../base/errors.ts';
import type { GatewayLimits, GatewayStats } from '../limits.ts';
import { answerTo, endWith, type HttpRefusal } from './http-answers.ts';
import { MoreDoors, portOf, takenAlone } from './more-doors.ts';

/** A certificate chain and its key, PEM. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Whether other processes of the host listen on the same port (SO_REUSEPORT). */
  readonly isShared: boolean;
}

/** What a listener hands on. */
export interface ListenerEvents {
  request(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface ListenerOptions {
  readonly tls: TlsPair | undefined;
  readonly limits: GatewayLimits;
  readonly stats: GatewayStats;
  readonly halfOpen: HalfOpen;
  readonly events: ListenerEvents;
  newRequestId(): string;
}

/** Connections of all listeners that are no WebSocket (yet). */
export class HalfOpen {
  #openSockets = 0;
  #upgradedSockets = 0;

  get count(): number {
    return this.#openSockets - this.#upgradedSockets;
  }

  opened(socket: Socket): void {
    this.#openSockets++;
    socket.once('close', () => this.#openSockets--);
  }

  upgraded(socket: Duplex): void {
    this.#upgradedSockets++;
    socket.once('close', () => this.#upgradedSockets--);
  }
}

// How often node:http looks for requests that take too long; its default of 30 s is longer than the limit.
const DEADLINE_CHECKS_PER_LIMIT = 10;
const KEEP_ALIVE_MS = 5_000;
const BACKLOG = 1_024;

/** One listening HTTP(S) server of the media plane. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server | TlsServer;
  readonly #sockets = new Set<Socket>();
  #doors: MoreDoors | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = this.#makeServer();
    this.#server.on('connection', (socket: Socket) => this.#onConnection(socket));
    this.#server.on('request', (request, response) => options.events.request(request, response));
    this.#server.on('upgrade', (request, socket, head) => options.events.upgrade(request, socket, head));
    this.#server.on('clientError', (error: Error & { readonly code?: string }, socket) =>
      this.#onClientError(error, socket),
    );
    this.#server.on('tlsClientError', (_error, socket) => {
      options.stats.tlsFailures++;
      socket.destroy();
    });
  }

  /** Resolves to the port; rejects where it cannot be had. */
  async listen(address: ListenAddress): Promise<number> {
    if (address.isShared) return this.#listenOnAll(address);
    // Nobody else is to have it.
    const own = { ...address, port: await takenAlone(address) };
    try {
      return await this.#listenOnAll(own);
    } catch (error) {
      // Not every platform has SO_REUSEPORT.
      if (!hasCode(error, 'ENOTSUP')) throw error;
      return this.#bind(own, false);
    }
  }

  async #listenOnAll(address: ListenAddress): Promise<number> {
    const port = await this.#bind(address, true);
    const doors = await MoreDoors.open({
      host: address.host,
      port,
      backlog: BACKLOG,
      allowHalfOpen: this.#options.tls === undefined,
      onConnection: (socket) => this.#server.emit('connection', socket),
      onError: () => this.#options.stats.halfOpenRefused++,
    });
    this.#doors = doors;
    // Stopped while they were opened.
    if (!this.#server.listening) doors.close();
    return port;
  }

  #bind({ host, port }: ListenAddress, reusePort: boolean): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#server.once('error', reject);
    this.#server.listen({ host, port, reusePort, backlog: BACKLOG }, () => {
      this.#server.off('error', reject);
      // An accept that fails (no file descriptors left) costs that connection, not the process.
      this.#server.on('error', () => this.#options.stats.halfOpenRefused++);
      resolve(portOf(this.#server));
    });
    return promise;
  }

  /** Stops listening at once; connections that are there stay. */
  stop(): void {
    this.#doors?.close();
    if (this.#server.listening) this.#server.close();
  }

  /** Stops listening and ends every connection. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#doors?.close();
    if (this.#server.listening) this.#server.close(() => resolve());
    else resolve();
    for (const socket of this.#sockets) socket.destroy();
    await promise;
  }

  /** Neither listening nor holding a connection. */
  get isSpent(): boolean {
    return !this.#server.listening && this.#sockets.size === 0;
  }

  /** New connections get the new certificate. */
  reloadTls(tls: TlsPair): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext(tls);
  }

  #makeServer(): Server | TlsServer {
    const { tls, limits } = this.#options;
    const httpOptions = {
      headersTimeout: limits.upgradeMsMax,
      requestTimeout: limits.upgradeMsMax,
      connectionsCheckingInterval: Math.ceil(limits.upgradeMsMax / DEADLINE_CHECKS_PER_LIMIT),
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
      // `Upgrade: h2c` and the like are wishes that may be ignored (RFC 9110 §7.8).
      shouldUpgradeCallback: isWebSocketUpgrade,
    };
    if (tls === undefined) return createServer(httpOptions);
    return createTlsServer({ ...httpOptions, ...tls, handshakeTimeout: limits.upgradeMsMax });
  }

  #onConnection(socket: Socket): void {
    const { halfOpen, limits, stats } = this.#options;
    if (halfOpen.count >= limits.halfOpenMax) {
      stats.halfOpenRefused++;
      socket.destroy();
      return;
    }
    halfOpen.opened(socket);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #onClientError(error: Error & { readonly code?: string }, socket: Duplex): void {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const { stats } = this.#options;
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') stats.upgradeTimeouts++;
    const refusal = refusalOf(error.code);
    stats.refusedByFault[refusal.fault]++;
    endWith(socket, answerTo(refusal, this.#options.newRequestId()));
  }
}

function isWebSocketUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}

function refusalOf(code: string | undefined): HttpRefusal {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return refuse('handshake_timeout', 'the request headers took too long');
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { ...refuse('payload_too_large', 'the request headers are too large'), httpStatus: 431 };
  }
  return refuse('invalid_argument', 'this is not an HTTP request');
}
