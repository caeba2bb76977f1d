import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Clock } from '../base/clock.ts';
import { type FaultCode, hasCode, refuse } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Closeable } from '../base/lifetime.ts';
import { Connection, type ConnectionHouse } from './connection.ts';
import { TrustedProxies } from './door/addresses.ts';
import { Admission, type Admitted, type AdmissionOptions } from './door/admission.ts';
import { Handshakes } from './door/handshakes.ts';
import { answerTo, endWith, respond, type HttpRefusal } from './door/http-answers.ts';
import type { IssuerTokens } from './door/issuer-tokens.ts';
import type { Nonces } from './door/nonces.ts';
import { HalfOpen, Listener, type TlsPair } from './door/listener.ts';
import { respondPlain, type PlainPages } from './door/plain-pages.ts';
import { readUpgrade } from './door/upgrade-request.ts';
import { Heartbeat } from './heartbeat.ts';
import { MediaSocket } from './socket/leg-socket.ts';
import { GATEWAY_LIMITS, openGatewayStats, type GatewayLimits, type GatewayStats } from './limits.ts';

export interface GatewayOptions extends Omit<AdmissionOptions, 'clock' | 'proxies'> {
  readonly clock: Clock;
  /** CIDRs whose `X-Forwarded-*` is believed. */
  readonly trustedProxies: readonly string[];
  readonly limits?: Partial<GatewayLimits>;
  readonly ports: GatewayPorts;
  readonly tls?: TlsPair | undefined;
  /** Prometheus text of this node, on its own port only. */
  metrics(): Promise<string>;
  /** Somebody who spoke of a dialect was refused before the upgrade. */
  refused?(dialectName: string, fault: FaultCode): void;
  /** A peer of this dialect answered a ping after so many milliseconds. */
  readonly ponged?: (dialectName: string, roundTripMs: number) => void;
  /** A broken promise of ours, for the log. */
  reportFailure(error: unknown, where: string): void;
}

export interface GatewayPorts {
  readonly host: string;
  /** The port all nodes of the host share; null where this node stands alone. 0 takes any. */
  readonly shared: number | null;
  /** The node's own port. 0 takes any. */
  readonly own: number;
}

/** The media door of a node. */
export interface Gateway extends Closeable {
  readonly sharedPort: number | null;
  readonly ownPort: number;
  readonly stats: GatewayStats;
  /** WebSockets that are open now. */
  readonly connections: number;
  readonly halfOpenConnections: number;
  /** Proofs that are good once: how many are remembered, and what came of showing one again. */
  readonly nonceStats: Nonces['stats'];
  /** Keys of providers that sign JWTs; undefined where none are checked. */
  readonly issuerStats: IssuerTokens['stats'] | undefined;
  /** Full or draining: the shared port is no longer listened on at once; the node's own stays. */
  closeShared(): void;
  /** Room again. */
  reopenShared(): Promise<void>;
  /** Listens nowhere any more; whoever is connected stays. */
  stopListening(): void;
  reloadTls(tls: TlsPair): void;
  /** Every connection is told to come back elsewhere, then all is closed. */
  close(): Promise<void>;
}

/** Opens the door: resolves when it listens. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = new MediaGateway(options);
  await gateway.listen();
  return gateway;
}

class MediaGateway implements Gateway {
  readonly stats = openGatewayStats();
  readonly #options: GatewayOptions;
  readonly #limits: GatewayLimits;
  readonly #proxies: TrustedProxies;
  readonly #admission: Admission;
  readonly #heartbeat: Heartbeat;
  readonly #house: ConnectionHouse;
  readonly #webSockets: WebSocketServer;
  readonly #subprotocols = new WeakMap<IncomingMessage, string>();
  readonly #connections = new Set<Connection>();
  readonly #handshakes = new Handshakes();
  readonly #halfOpen = new HalfOpen();
  /** All that listen or have connections: a closed one may still hold some. */
  readonly #listeners = new Set<Listener>();
  #tls: TlsPair | undefined;
  #shared: Listener | undefined;
  #sharedPort: number | null;
  #ownPort: number;
  #isClosing = false;
  #isDeaf = false;

  constructor(options: GatewayOptions) {
    const { clock } = options;
    this.#options = options;
    this.#limits = { ...GATEWAY_LIMITS, ...options.limits };
    this.#proxies = new TrustedProxies(options.trustedProxies);
    this.#admission = new Admission({ ...options, proxies: this.#proxies });
    this.#heartbeat = new Heartbeat(clock, this.stats);
    this.#house = this.#makeHouse();
    this.#webSockets = this.#makeWebSocketServer();
    this.#tls = options.tls;
    this.#sharedPort = options.ports.shared;
    this.#ownPort = options.ports.own;
  }

  get sharedPort(): number | null {
    return this.#sharedPort;
  }

  get ownPort(): number {
    return this.#ownPort;
  }

  get connections(): number {
    return this.#connections.size;
  }

  get halfOpenConnections(): number {
    return this.#halfOpen.count;
  }

  get issuerStats(): IssuerTokens['stats'] | undefined {
    return this.#options.issuerTokens?.stats;
  }

  get nonceStats(): Nonces['stats'] {
    return this.#admission.nonces.stats;
  }

  async listen(): Promise<void> {
    const { host } = this.#options.ports;
    const own = this.#openListener(true);
    try {
      this.#ownPort = await own.listen({ host, port: this.#ownPort, isShared: false });
      await this.reopenShared();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  closeShared(): void {
    this.#shared?.stop();
    this.#shared = undefined;
  }

  stopListening(): void {
    this.#isDeaf = true;
    this.#shared = undefined;
    for (const listener of this.#listeners) listener.stop();
  }

  async reopenShared(): Promise<void> {
    if (this.#isDeaf || this.#sharedPort === null || this.#shared !== undefined || this.#isClosing) return;
    for (const listener of this.#listeners) if (listener.isSpent) this.#listeners.delete(listener);
    const { host } = this.#options.ports;
    const listener = this.#openListener(false);
    this.#shared = listener;
    try {
      this.#sharedPort = await listener.listen({ host, port: this.#sharedPort, isShared: true });
    } catch (error) {
      this.#shared = undefined;
      // Where the platform cannot share a port, each node has its own only (contract.md §1).
      if (!hasCode(error, 'ENOTSUP')) throw error;
      this.#sharedPort = null;
    }
    // Closed again while the port was being taken.
    if (this.#shared !== listener) listener.stop();
  }

  reloadTls(tls: TlsPair): void {
    this.#tls = tls;
    for (const listener of this.#listeners) listener.reloadTls(tls);
  }

  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    for (const listener of this.#listeners) listener.stop();
    const gone = [...this.#connections].map((connection) => connection.leave('draining'));
    await Promise.all(gone);
    this.#heartbeat.close();
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
  }

  #makeHouse(): ConnectionHouse {
    const { clock, sessions, dialects, ponged } = this.#options;
    const payload = new Uint8Array(this.#limits.messageBytesMax);
    return {
      clock,
      limits: this.#limits,
      stats: this.stats,
      heartbeat: this.#heartbeat,
      tokens: sessions,
      dialects,
      inbound: { payload, payloadBytes: 0, sequence: -1, timestampMs: -1 },
      ponged,
      reportFailure: (error, where) => this.#options.reportFailure(error, where),
    };
  }

  #makeWebSocketServer(): WebSocketServer {
    const { messageBytesMax, messageFragmentsMax, messageBurstMax, closeGraceMs } = this.#limits;
    const serverOptions = {
      noServer: true,
      clientTracking: false,
      WebSocket: MediaSocket,
      perMessageDeflate: false,
      maxPayload: messageBytesMax,
      maxFragments: messageFragmentsMax,
      // Bytes sent one at a time come as one chunk each; a whole message needs far fewer.
      maxBufferedChunks: 4 * messageFragmentsMax,
      // A flood of pings is answered by our own limit, not by an end without a close frame.
      maxPendingAutoPongs: 2 * messageBurstMax,
      closeTimeout: closeGraceMs,
      handleProtocols: (_offered: Set<string>, request: IncomingMessage) =>
        this.#subprotocols.get(request) ?? false,
    };
    return new WebSocketServer(serverOptions);
  }

  #openListener(isOwn: boolean): Listener {
    const pages: PlainPages = {
      isReady: () => !this.#isClosing && this.#options.arrivals.refuseNew() === undefined,
      metrics: isOwn ? () => this.#options.metrics() : undefined,
      newRequestId: () => this.#newRequestId(),
    };
    const listener = new Listener({
      tls: this.#tls,
      limits: this.#limits,
      stats: this.stats,
      halfOpen: this.#halfOpen,
      newRequestId: () => this.#newRequestId(),
      events: {
        request: (request, response) => this.#onRequest(request, response, pages),
        upgrade: (request, socket, head) => void this.#onUpgrade(request, socket, head),
      },
    });
    this.#listeners.add(listener);
    return listener;
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, pages: PlainPages): void {
    respondPlain(request, response, pages).catch((error: unknown) => {
      this.#options.reportFailure(error, 'request');
      respond(request, response, answerTo(refuse('internal', 'see the log'), this.#newRequestId()));
    });
  }

  async #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // node:http lets go of the socket here; an error without a listener would end the process.
    socket.on('error', () => socket.destroy());
    const peerAddress = request.socket.remoteAddress ?? '';
    const forwardedFor = headerText(request.headers['x-forwarded-for']);
    const clientAddress = this.#proxies.clientAddress(peerAddress, forwardedFor);
    const refusal = this.#refuseForRoom(clientAddress);
    if (refusal !== undefined) return this.#refuse(socket, refusal);
    const settle = this.#handshakes.begin(clientAddress);
    socket.once('close', settle);
    const admitted = await this.#admit(request, peerAddress, clientAddress);
    if ('type' in admitted) return this.#refuse(socket, admitted);
    this.#welcome({ request, socket, head }, admitted, settle);
  }

  async #admit(
    request: IncomingMessage,
    peerAddress: string,
    clientAddress: string,
  ): Promise<Admitted | HttpRefusal> {
    const upgrade = readUpgrade(request);
    if ('type' in upgrade) return upgrade;
    const isTls = this.#tls !== undefined;
    try {
      const admitted = await this.#admission.admit({ request, upgrade, peerAddress, clientAddress, isTls });
      if ('type' in admitted) this.#options.refused?.(upgrade.dialectName, admitted.fault);
      return admitted;
    } catch (error) {
      this.stats.invariantFailures++;
      this.#options.reportFailure(error, 'admit');
      return refuse('internal', 'the upgrade failed on our side');
    }
  }

  #welcome(
    { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
    admitted: Admitted,
    settle: () => void,
  ): void {
    if (this.#isClosing) return this.#refuse(socket, refuse('draining', 'this node is leaving'));
    if (admitted.subprotocol !== null) this.#subprotocols.set(request, admitted.subprotocol);
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.stats.upgradesAccepted++;
      this.#halfOpen.upgraded(socket);
      const connection = new Connection({ webSocket, socket }, admitted, this.#house, settle);
      this.#connections.add(connection);
      webSocket.once('close', () => this.#connections.delete(connection));
    });
  }

  #refuseForRoom(clientAddress: string): HttpRefusal | undefined {
    if (this.#isClosing) return refuse('draining', 'this node is leaving');
    if (this.#connections.size >= this.#limits.connectionsMax) {
      return refuse('overloaded', 'too many connections');
    }
    if (this.#handshakes.of(clientAddress) < this.#limits.handshakesPerAddressMax) return undefined;
    return refuse('rate_limited', 'too many handshakes of this address at once');
  }

  #refuse(socket: Duplex, refusal: HttpRefusal): void {
    this.stats.refusedByFault[refusal.fault]++;
    endWith(socket, answerTo(refusal, this.#newRequestId()));
  }

  #newRequestId(): string {
    return newId('req', this.#options.clock);
  }
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}
