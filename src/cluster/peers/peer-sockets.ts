import { createServer, connect, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createServer as createTlsServer, type SecureVersion } from 'node:tls';
import type { Closeable } from '../../base/lifetime.ts';
import type { PeerKeys } from './peer-key.ts';

// A pre-shared key with a Diffie-Hellman of its own (RFC 5489; the cipher is RFC 7905's): both ends prove the
// secret in the handshake, and who learns the secret later still cannot read what was said.
const CIPHER = 'ECDHE-PSK-CHACHA20-POLY1305';
// Node hands out pre-shared keys up to TLS 1.2 only.
const VERSION: SecureVersion = 'TLSv1.2';
const TLS = { ciphers: CIPHER, minVersion: VERSION, maxVersion: VERSION } as const;
const HANDSHAKE_MS = 2_000;

/** Where a node is reached: over the network with a proof of the secret, or in this host's run directory. */
export type PeerAddress =
  | { readonly kind: 'network'; readonly host: string; readonly port: number }
  | { readonly kind: 'host'; readonly path: string };

export interface PeerListening extends Closeable {
  readonly port: number | null;
  close(): Promise<void>;
}

export interface PeerListenOptions {
  readonly address: PeerAddress;
  readonly keys: PeerKeys;
  readonly connectionsMax: number;
  connected(socket: Duplex): void;
  /** Who came did not prove the secret. */
  stranger(): void;
  turnedAway(): void;
}

/** Listens for peers; resolves when they can come. */
export async function listenForPeers(options: PeerListenOptions): Promise<PeerListening> {
  const { address, connectionsMax } = options;
  const sockets = new Set<Socket>();
  const unproven = new Unproven();
  const server = openServer(options, unproven);
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => socket.destroy());
    if (sockets.size >= connectionsMax) {
      options.turnedAway();
      // Strangers have no claim to a place: a peer proves itself within a round trip or two.
      const longest = unproven.takeLongest() ?? socket;
      sockets.delete(longest);
      longest.destroy();
      if (longest === socket) return;
    }
    sockets.add(socket);
    if (address.kind === 'network') unproven.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.setNoDelay(true);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.kind === 'host' ? { path: address.path } : address, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // As a failing accept: the next one may work.
  server.on('error', () => options.turnedAway());
  const bound = server.address();
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { port: bound !== null && typeof bound === 'object' ? bound.port : null, close };
}

/** Connections whose handshake is under way, the longest first. */
class Unproven {
  // By their other end: what is spoken over a connection is another object than the connection.
  readonly #sockets = new Map<string, Socket>();

  add(socket: Socket): void {
    const end = endOf(socket);
    this.#sockets.set(end, socket);
    socket.once('close', () => this.#sockets.delete(end));
  }

  proved(socket: Socket): void {
    this.#sockets.delete(endOf(socket));
  }

  takeLongest(): Socket | undefined {
    const [longest] = this.#sockets;
    if (longest === undefined) return undefined;
    this.#sockets.delete(longest[0]);
    return longest[1];
  }
}

function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function openServer(options: PeerListenOptions, unproven: Unproven): Server {
  const { address, keys } = options;
  if (address.kind === 'host') return createServer((socket) => options.connected(socket));
  const pskCallback = (_socket: unknown, identity: string): Buffer | null => keys.find(identity);
  const server = createTlsServer({ ...TLS, pskCallback, handshakeTimeout: HANDSHAKE_MS }, (socket) => {
    unproven.proved(socket);
    options.connected(socket);
  });
  server.on('tlsClientError', (_error, socket) => {
    options.stranger();
    socket.destroy();
  });
  return server;
}

/** Dials a peer: tells the socket once it is proven, or why there is none. Returns what gives the dial up. */
export function dialPeer(
  address: PeerAddress,
  keys: PeerKeys,
  events: { connected(socket: Duplex): void; failed(why: 'refused' | 'rejected' | 'reset'): void },
): () => void {
  const socket = openSocket(address, keys);
  const fail = (error?: NodeJS.ErrnoException): void => {
    socket.off('close', onClose);
    socket.destroy();
    events.failed(reasonOf(error));
  };
  const onClose = (): void => fail();
  socket.once('error', fail);
  socket.once('close', onClose);
  socket.once(address.kind === 'host' ? 'connect' : 'secureConnect', () => {
    socket.on('error', () => socket.destroy());
    socket.off('error', fail);
    socket.off('close', onClose);
    socket.setNoDelay(true);
    events.connected(socket);
  });
  return () => {
    socket.off('close', onClose);
    socket.on('error', () => socket.destroy());
    socket.off('error', fail);
    socket.destroy();
  };
}

function openSocket(address: PeerAddress, keys: PeerKeys): Socket {
  if (address.kind === 'host') return connect({ path: address.path });
  const { host, port } = address;
  const pskCallback = (): { psk: Buffer; identity: string } => keys.newest;
  // There is no certificate to check: who has the key is the peer.
  return connectTls({ ...TLS, host, port, pskCallback, checkServerIdentity: () => undefined });
}

function reasonOf(error: NodeJS.ErrnoException | undefined): 'refused' | 'rejected' | 'reset' {
  if (error?.code === 'ECONNREFUSED' || error?.code === 'ENOENT') return 'refused';
  return error?.code?.startsWith('ERR_SSL') === true ? 'rejected' : 'reset';
}
