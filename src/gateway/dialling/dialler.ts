import type { LookupFunction } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Closeable } from '../../base/lifetime.ts';
import type { ClientRequest } from '../../dialect/client.ts';
import { Heartbeat } from '../heartbeat.ts';
import { MediaSocket } from '../socket/leg-socket.ts';
import { dialFailure, failureOf } from './dial-failure.ts';
import { DIAL_LIMITS, openDialStats, type DialLimits, type DialStats } from './dial-limits.ts';
import {
  DialledConnection,
  type DialEvents,
  type DialHouse,
  type DialledPeer,
} from './dialled-connection.ts';

/** Says where we may go, in the operator's name. */
export interface DialGuard {
  /**
   * The addresses of a host, a name or a literal address, that may be dialled. Throws a `VoiceError`:
   * `failed_precondition` where it has only others, anything else where it has none.
   */
  reachable(host: string): Promise<readonly string[]>;
}

export interface DiallerOptions {
  readonly clock: Clock;
  readonly guard: DialGuard;
  readonly limits?: Partial<DialLimits>;
  /** PEM of authorities to trust instead of the runtime's own. */
  readonly ca?: string;
  /** A broken promise of ours, for the log. */
  reportFailure(error: unknown, where: string): void;
}

/** A dial that is under way. */
export interface Dial {
  /** Nobody waits for it any more: nothing more is told of it. A leg that was made of it goes on. */
  cancel(): void;
}

/** Opens connections to backends: the way out of a node. */
export interface Dialler extends Closeable {
  readonly stats: DialStats;
  /** Connections that are open, or being opened. */
  readonly connections: number;
  /** Tells of failures in a turn of their own, never before it has returned. */
  dial(peer: DialledPeer, events: DialEvents): Dial;
  /** Dials are given up; connections are closed with 1012. */
  close(): Promise<void>;
}

export function openDialler(options: DiallerOptions): Dialler {
  return new BackendDialler(options);
}

class BackendDialler implements Dialler {
  readonly stats = openDialStats();
  readonly #options: DiallerOptions;
  readonly #house: DialHouse;
  readonly #connections = new Set<DialledConnection>();
  #isClosing = false;

  constructor(options: DiallerOptions) {
    const limits = { ...DIAL_LIMITS, ...options.limits };
    this.#options = options;
    this.#house = {
      clock: options.clock,
      limits,
      stats: this.stats,
      heartbeat: new Heartbeat(options.clock, this.stats),
      // Only words come before the start; audio that does is dropped.
      inbound: {
        payload: new Uint8Array(limits.messageBytesMax),
        payloadBytes: 0,
        sequence: -1,
        timestampMs: -1,
      },
      reportFailure: (error, where) => options.reportFailure(error, where),
    };
  }

  get connections(): number {
    return this.#connections.size;
  }

  dial(peer: DialledPeer, events: DialEvents): Dial {
    const connection = new DialledConnection(peer, events, this.#house);
    const isFull = this.#isClosing || this.#connections.size >= this.#house.limits.connectionsMax;
    this.#connections.add(connection);
    void connection.gone.then(() => this.#connections.delete(connection));
    if (isFull) queueMicrotask(() => connection.fail(dialFailure('overloaded', 'no more connections')));
    else void this.#connect(peer.session.request, connection);
    return connection;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const connections = [...this.#connections];
    for (const connection of connections) connection.break('draining');
    await Promise.all(connections.map(({ gone }) => gone));
    this.#house.heartbeat.close();
  }

  async #connect(request: ClientRequest, connection: DialledConnection): Promise<void> {
    try {
      const { hostname } = new URL(request.url);
      const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
      const addresses = await this.#options.guard.reachable(host);
      connection.connect(() => this.#openSocket(request, addresses));
    } catch (error) {
      connection.fail(failureOf(error instanceof Error ? error : new Error(messageOf(error))));
    }
  }

  #openSocket({ url, headers, subprotocols }: ClientRequest, addresses: readonly string[]): MediaSocket {
    const { limits } = this.#house;
    const socketOptions = {
      headers: { ...headers },
      lookup: fixedLookup(addresses),
      perMessageDeflate: false,
      followRedirects: false,
      maxPayload: limits.messageBytesMax,
      maxFragments: limits.messageFragmentsMax,
      maxBufferedChunks: 4 * limits.messageFragmentsMax,
      closeTimeout: limits.closeGraceMs,
      ...(this.#options.ca === undefined ? {} : { ca: this.#options.ca }),
    };
    return new MediaSocket(url, [...subprotocols], socketOptions);
  }
}

/** Connects to exactly what was judged: a second answer of a name server cannot slip in. */
function fixedLookup(addresses: readonly string[]): LookupFunction {
  const answers = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  return (_host, options, callback) => {
    if (options.all === true) return callback(null, answers);
    return callback(null, answers[0]?.address ?? '', answers[0]?.family);
  };
}
