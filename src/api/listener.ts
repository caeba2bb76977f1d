import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { TlsPair } from './api-options.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const CONNECTIONS_CHECKED_EVERY_MS = 5_000;
// Longer than a reader of streams is given for its last bytes.
const CLOSE_GRACE_MS = 6_000;

/** The server under the API, and its connections. */
export class Listener {
  readonly server: Server;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #sockets = new Set<Socket>();
  readonly #unused = new Set<Socket>();

  constructor(tls: TlsPair | undefined, clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
    const timeouts = {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CONNECTIONS_CHECKED_EVERY_MS,
    };
    // One type for both: fastify and we use only what plain and secure servers share.
    this.server = tls === undefined ? createServer(timeouts) : createTlsServer({ ...timeouts, ...tls });
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
    this.server.on('connection', (socket) => track(this.#sockets, socket));
    this.server.on(opened, (socket: Socket) => track(this.#unused, socket));
    const used = ({ socket }: IncomingMessage): void => void this.#unused.delete(socket);
    this.server.on('request', used).on('upgrade', used);
  }
}

function track(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
}
