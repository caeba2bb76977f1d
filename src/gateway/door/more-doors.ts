import { createServer, type Server, type Socket } from 'node:net';

/** Sockets that listen on one port for one process. */
const DOORS = 8;

/** A port that is being listened on with SO_REUSEPORT, and who takes its connections. */
export interface DoorsOptions {
  readonly host: string;
  readonly port: number;
  readonly backlog: number;
  /** As the server whose port it is takes its own. */
  readonly allowHalfOpen: boolean;
  readonly onConnection: (socket: Socket) => void;
  /** An accept that failed: out of file descriptors, say. */
  readonly onError: () => void;
}

/**
 * More sockets that listen on the port of a server. libuv takes one connection from a listening socket in a
 * turn of the loop: of a crowd that comes back, one would be let in for each turn of hundreds of calls. The
 * kernel spreads connections over all sockets of a port.
 */
export class MoreDoors {
  readonly #servers: readonly Server[];

  private constructor(servers: readonly Server[]) {
    this.#servers = servers;
  }

  /** Resolves once all listen, or have failed to: one fewer is no reason not to open. */
  static async open(options: DoorsOptions): Promise<MoreDoors> {
    const opening = Array.from({ length: DOORS - 1 }, () => openDoor(options));
    const opened = await Promise.all(opening);
    return new MoreDoors(opened.filter((server) => server.listening));
  }

  /** At once; connections that are there stay. */
  close(): void {
    for (const server of this.#servers) server.close();
  }
}

function openDoor({
  host,
  port,
  backlog,
  allowHalfOpen,
  onConnection,
  onError,
}: DoorsOptions): Promise<Server> {
  const server = createServer({ allowHalfOpen, noDelay: true }, onConnection);
  const { promise, resolve } = Promise.withResolvers<Server>();
  server.on('error', () => {
    if (server.listening) onError();
    resolve(server);
  });
  server.listen({ host, port, backlog, reusePort: true }, () => resolve(server));
  return promise;
}

/** A port that nobody listens on, also none of our own that would share it; 0 takes a free one. */
export function takenAlone({ host, port }: Pick<DoorsOptions, 'host' | 'port'>): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', reject);
  server.listen({ host, port }, () => {
    const taken = portOf(server);
    server.close(() => resolve(taken));
  });
  return promise;
}

/** Of a server that listens on one. */
export function portOf(server: Server): number {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}
