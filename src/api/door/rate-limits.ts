import type { AtMs, Clock } from '../../base/clock.ts';
import type { ApiKey } from '../ports.ts';
import { BoundedMap, TokenBucket } from './token-bucket.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const REMEMBERED_MAX = 10_000;

/** What a key may do when nothing else was set for it (contract.md §3). */
export const KEY_RATE_PER_MINUTE = 60;
// The published tiers read "60 / minute" and "burstable: 120 / minute, 1000 / hour". A flat thousand an hour
// would refuse a client that keeps to its 60 a minute after a quarter of an hour: the hour limits the burst.
const BURST_PER_HOUR = 1_000;
const WORKSPACE_PER_MINUTE = 600;
// 1200/min for 30 s, while 600/min come back: 300 beyond the steady pace.
const WORKSPACE_BURST = 300;
const FAILURES_PER_MINUTE = 20;

/** Where a key stands, for `X-RateLimit-*` and `meta.rate_limit`. */
export interface RateStanding {
  readonly limit: number;
  readonly remaining: number;
  /** Epoch seconds at which the full limit is there again. */
  readonly resetUnixS: number;
}

interface KeyBuckets {
  readonly steady: TokenBucket;
  readonly burst: TokenBucket;
  readonly burstHourly: TokenBucket;
}

/** The REST limits: per key a steady rate and a burst, per workspace a ceiling. */
export class RateLimits {
  readonly stats = { refusedByKey: 0, refusedByWorkspace: 0 };
  readonly #clock: Pick<Clock, 'nowMs' | 'unixMs'>;
  readonly #keys = new BoundedMap<KeyBuckets>(REMEMBERED_MAX);
  readonly #workspaces = new BoundedMap<TokenBucket>(REMEMBERED_MAX);

  constructor(clock: Pick<Clock, 'nowMs' | 'unixMs'>) {
    this.#clock = clock;
  }

  /** Takes one request from the key's share. 0 when it may pass, else the milliseconds to wait. */
  take(key: ApiKey): number {
    const nowMs = this.#clock.nowMs();
    const buckets = this.#bucketsOf(key, nowMs);
    const workspace = this.#workspaceOf(key.workspaceId, nowMs);
    const keyWaitMs = waitOf(buckets, nowMs);
    if (keyWaitMs > 0) {
      this.stats.refusedByKey++;
      return keyWaitMs;
    }
    if (!workspace.take(nowMs)) {
      this.stats.refusedByWorkspace++;
      return workspace.waitMs(nowMs);
    }
    if (!buckets.steady.take(nowMs)) {
      buckets.burst.take(nowMs);
      buckets.burstHourly.take(nowMs);
    }
    return 0;
  }

  standing(key: ApiKey): RateStanding {
    const nowMs = this.#clock.nowMs();
    const { steady } = this.#bucketsOf(key, nowMs);
    return {
      limit: key.ratePerMinute ?? KEY_RATE_PER_MINUTE,
      remaining: steady.available(nowMs),
      resetUnixS: Math.ceil((this.#clock.unixMs() + steady.fullInMs(nowMs)) / 1000),
    };
  }

  #bucketsOf(key: ApiKey, nowMs: AtMs): KeyBuckets {
    const perMinute = key.ratePerMinute ?? KEY_RATE_PER_MINUTE;
    // The rate is part of the name: a changed limit starts fresh buckets at once.
    const name = `${key.id} ${perMinute}`;
    return this.#keys.get(name) ?? this.#keys.set(name, keyBuckets(perMinute, nowMs));
  }

  #workspaceOf(workspaceId: string, nowMs: AtMs): TokenBucket {
    const bucket = this.#workspaces.get(workspaceId);
    if (bucket !== undefined) return bucket;
    const fresh = new TokenBucket(WORKSPACE_BURST, WORKSPACE_PER_MINUTE / MINUTE_MS, nowMs);
    return this.#workspaces.set(workspaceId, fresh);
  }
}

function keyBuckets(perMinute: number, nowMs: AtMs): KeyBuckets {
  const burstPerHour = Math.ceil((BURST_PER_HOUR * perMinute) / KEY_RATE_PER_MINUTE);
  return {
    steady: new TokenBucket(perMinute, perMinute / MINUTE_MS, nowMs),
    burst: new TokenBucket(perMinute, perMinute / MINUTE_MS, nowMs),
    burstHourly: new TokenBucket(burstPerHour, burstPerHour / HOUR_MS, nowMs),
  };
}

function waitOf({ steady, burst, burstHourly }: KeyBuckets, nowMs: AtMs): number {
  return Math.min(steady.waitMs(nowMs), Math.max(burst.waitMs(nowMs), burstHourly.waitMs(nowMs)));
}

/** Failed authentications per client address: who guesses is turned away before a key is looked up. */
export class FailureGuard {
  readonly stats = { failures: 0, turnedAway: 0 };
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #addresses = new BoundedMap<TokenBucket>(REMEMBERED_MAX);

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** Milliseconds this address must wait before it may try again; 0 when it may. */
  waitMs(address: string): number {
    const waitMs = this.#addresses.get(address)?.waitMs(this.#clock.nowMs()) ?? 0;
    if (waitMs > 0) this.stats.turnedAway++;
    return waitMs;
  }

  failed(address: string): void {
    const nowMs = this.#clock.nowMs();
    this.stats.failures++;
    const bucket =
      this.#addresses.get(address) ??
      this.#addresses.set(
        address,
        new TokenBucket(FAILURES_PER_MINUTE, FAILURES_PER_MINUTE / MINUTE_MS, nowMs),
      );
    bucket.take(nowMs);
  }
}
