import { Pool } from 'undici';
import type { Clock } from '../base/clock.ts';
import type { Closeable } from '../base/lifetime.ts';
import { guardedConnector } from '../delivery/wire/connector.ts';
import { exchange, type ExchangeResult } from '../delivery/wire/exchange.ts';
import { EgressBlocked, parseEgressAllow, type EgressAllow } from '../delivery/wire/guard.ts';
import { HostResolver, ResolveError } from '../delivery/wire/resolver.ts';
import type { ProviderAnswer } from '../providers/control/provider-answer.ts';
import type { ProviderRequest } from '../providers/control/provider-api.ts';
import type { ProviderWire } from '../providers/control/provider-control.ts';

const ORIGINS_MAX = 64;
const CONNECTIONS_MAX = 16;
const CONNECT_MS_MAX = 3000;
const KEEP_ALIVE_MS = 30_000;

export interface HttpProviderWireOptions {
  readonly clock: Clock;
  readonly egressAllow: readonly string[];
  readonly userAgent: string;
}

/** Requests to providers over HTTP: the wire and the guard of the hooks, a pool for each address. */
export class HttpProviderWire implements ProviderWire, Closeable {
  forgottenOrigins = 0;
  readonly #options: HttpProviderWireOptions;
  readonly #allow: EgressAllow;
  readonly #resolver: HostResolver;
  /** Used longest ago first. */
  readonly #pools = new Map<string, Pool>();

  constructor(options: HttpProviderWireOptions) {
    this.#options = options;
    this.#allow = parseEgressAllow(options.egressAllow);
    this.#resolver = new HostResolver(options.clock);
  }

  async send(request: ProviderRequest, timeLimitMs: number): Promise<ProviderAnswer> {
    const { clock, userAgent } = this.#options;
    const url = URL.parse(request.url);
    if (url === null || !/^https?:$/.test(url.protocol))
      return { type: 'blocked', detail: 'not an HTTP URL' };
    const body = Buffer.from(request.body, 'utf8');
    const own = { 'user-agent': userAgent, accept: 'application/json' };
    const wire = {
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...own, ...request.headers },
      body,
    };
    return answerOf(await exchange(this.#poolOf(url.origin), wire, timeLimitMs, clock));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
    this.#pools.clear();
  }

  #poolOf(origin: string): Pool {
    const held = this.#pools.get(origin);
    const pool =
      held ??
      new Pool(origin, {
        connections: CONNECTIONS_MAX,
        pipelining: 1,
        connect: guardedConnector({
          allow: this.#allow,
          resolver: this.#resolver,
          clock: this.#options.clock,
          timeoutMs: CONNECT_MS_MAX,
        }),
        keepAliveTimeout: KEEP_ALIVE_MS,
      });
    this.#pools.delete(origin);
    this.#pools.set(origin, pool);
    this.#forgetOldest();
    return pool;
  }

  #forgetOldest(): void {
    if (this.#pools.size <= ORIGINS_MAX) return;
    for (const [origin, pool] of this.#pools) {
      this.#pools.delete(origin);
      this.forgottenOrigins++;
      // What is under way on it may end in its own time.
      void pool.close();
      return;
    }
  }
}

function answerOf({ failure, status, body, sentAtMs, isStaleSocket }: ExchangeResult): ProviderAnswer {
  if (failure instanceof EgressBlocked) return { type: 'blocked', detail: failure.message };
  if (failure === null && status !== null) return { type: 'answer', status, body };
  const isUnsent = sentAtMs === null || isStaleSocket || failure instanceof ResolveError;
  const detail = failure === 'timeout' ? 'the time allowed was over' : (failure?.message ?? 'no status');
  return { type: isUnsent ? 'unsent' : 'lost', detail };
}
