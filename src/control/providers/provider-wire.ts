import type { Clock } from '../../base/clock.ts';
import type { Closeable } from '../../base/lifetime.ts';
import { exchange, type ExchangeResult } from '../../delivery/wire/exchange.ts';
import { EgressBlocked } from '../../delivery/wire/guard.ts';
import { OriginPools } from '../../delivery/wire/origin-pools.ts';
import { ResolveError } from '../../delivery/wire/resolver.ts';
import type { ProviderAnswer } from '../../providers/control/provider-answer.ts';
import type { ProviderRequest } from '../../providers/control/provider-api.ts';
import type { ProviderWire } from '../../providers/control/provider-control.ts';

export interface HttpProviderWireOptions {
  readonly clock: Clock;
  readonly egressAllow: readonly string[];
  readonly userAgent: string;
}

/** Requests to providers over HTTP: the wire and the guard of the hooks, a pool for each address. */
export class HttpProviderWire implements ProviderWire, Closeable {
  readonly #options: HttpProviderWireOptions;
  readonly #pools: OriginPools;

  constructor(options: HttpProviderWireOptions) {
    this.#options = options;
    this.#pools = new OriginPools(options);
  }

  get forgottenOrigins(): number {
    return this.#pools.stats.forgottenPools;
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
    return answerOf(await exchange(this.#pools.poolOf(url.origin), wire, timeLimitMs, clock));
  }

  close(): Promise<void> {
    return this.#pools.close();
  }
}

function answerOf({ failure, status, body, sentAtMs, isStaleSocket }: ExchangeResult): ProviderAnswer {
  if (failure instanceof EgressBlocked) return { type: 'blocked', detail: failure.message };
  if (failure === null && status !== null) return { type: 'answer', status, body };
  const isUnsent = sentAtMs === null || isStaleSocket || failure instanceof ResolveError;
  const detail = failure === 'timeout' ? 'the time allowed was over' : (failure?.message ?? 'no status');
  return { type: isUnsent ? 'unsent' : 'lost', detail };
}
