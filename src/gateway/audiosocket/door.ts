import { createServer, type Server, type Socket } from 'node:net';
import type { Closeable } from '../../base/lifetime.ts';
import { GATEWAY_LIMITS, type GatewayLimits } from '../limits.ts';
import { AudioSocketConnection, type AudioSocketHouse, type AudioSocketStats } from './connection.ts';

export interface AudioSocketDoorOptions extends Omit<AudioSocketHouse, 'limits' | 'stats' | 'inbound'> {
  readonly host: string;
  /** 0 takes any. */
  readonly port: number;
  /** Whether other nodes of the host listen on it, too. */
  readonly isShared: boolean;
  readonly limits?: Partial<GatewayLimits>;
}

/** The TCP door for Asterisk's AudioSocket. */
export interface AudioSocketDoor extends Closeable {
  readonly port: number;
  readonly stats: AudioSocketStats;
  /** Listens no more; whoever is connected stays. */
  stopListening(): void;
}

/** Opens the door: resolves when it listens. */
export async function openAudioSocketDoor(options: AudioSocketDoorOptions): Promise<AudioSocketDoor> {
  const limits = { ...GATEWAY_LIMITS, ...options.limits };
  const stats = newStats();
  const payload = new Uint8Array(limits.messageBytesMax);
  const inbound = { payload, payloadBytes: 0, sequence: -1, timestampMs: -1 };
  const house: AudioSocketHouse = { ...options, limits, stats, inbound };
  const connections = new Set<AudioSocketConnection>();
  const server = createServer({ allowHalfOpen: false }, (socket: Socket) => {
    if (connections.size >= limits.connectionsMax || options.arrivals.refuseNew() !== undefined) {
      stats.refusedFull++;
      socket.destroy();
      return;
    }
    stats.accepted++;
    const connection = new AudioSocketConnection(socket, house);
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  const port = await listen(server, options);
  return {
    port,
    stats,
    stopListening: () => void server.close(),
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const connection of connections) connection.break();
      await closed;
    },
  };
}

function listen(
  server: Server,
  { host, port, isShared }: Pick<AudioSocketDoorOptions, 'host' | 'port' | 'isShared'>,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', reject);
  server.listen({ host, port, reusePort: isShared }, () => {
    server.off('error', reject);
    const address = server.address();
    resolve(typeof address === 'object' && address !== null ? address.port : port);
  });
  return promise;
}

function newStats(): AudioSocketStats {
  return {
    accepted: 0,
    legsStarted: 0,
    refusedUuids: 0,
    refusedLegs: 0,
    protocolViolations: 0,
    rateLimited: 0,
    timeouts: 0,
    refusedFull: 0,
    failures: 0,
    wedgedSockets: 0,
  };
}
