import { Pool } from 'undici';
import type { Clock } from '../../base/clock.ts';
import type { Closeable } from '../../base/lifetime.ts';
import { guardedConnector } from './connector.ts';
import { parseEgressAllow, type EgressAllow } from './guard.ts';
import { HostResolver } from './resolver.ts';

const POOLS_MAX = 64;
const CONNECTIONS_MAX = 16;
const CONNECT_MS_MAX = 3000;
const KEEP_ALIVE_MS = 30_000;

export interface OriginPoolsOptions {
  readonly clock: Clock;
  readonly egressAllow: readonly string[];
}

/** Connections under the guard of the hooks, a pool for each address and whoever asks for it. */
export class OriginPools implements Closeable {
  readonly stats = { forgottenPools: 0 };
  readonly #clock: Clock;
  readonly #allow: EgressAllow;
  readonly #resolver: HostResolver;
  /** Used longest ago first. */
  readonly #pools = new Map<string, Pool>();

  constructor({ clock, egressAllow }: OriginPoolsOptions) {
    this.#clock = clock;
    this.#allow = parseEgressAllow(egressAllow);
    this.#resolver = new HostResolver(clock);
  }

  /** The pool of an origin; nobody waits for the connections of another owner. */
  poolOf(origin: string, owner = ''): Pool {
    const name = `${owner} ${origin}`;
    const pool = this.#pools.get(name) ?? this.#open(origin);
    this.#pools.delete(name);
    this.#pools.set(name, pool);
    this.#forgetOldest();
    return pool;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
    this.#pools.clear();
  }

  #open(origin: string): Pool {
    return new Pool(origin, {
      connections: CONNECTIONS_MAX,
      pipelining: 1,
      connect: guardedConnector({
        allow: this.#allow,
        resolver: this.#resolver,
        clock: this.#clock,
        timeoutMs: CONNECT_MS_MAX,
      }),
      keepAliveTimeout: KEEP_ALIVE_MS,
    });
  }

  #forgetOldest(): void {
    if (this.#pools.size <= POOLS_MAX) return;
    for (const [name, pool] of this.#pools) {
      this.#pools.delete(name);
      this.stats.forgottenPools++;
      // What is under way on it may end in its own time.
      void pool.close();
      return;
    }
  }
}
