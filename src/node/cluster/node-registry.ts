import type { Clock } from '../../base/clock.ts';
import { AskedRegistry } from '../../cluster/asked-registry.ts';
import { openRedisRegistry } from '../../cluster/redis/open-redis.ts';
import type { RedisRegistry, RedisRegistryOptions } from '../../cluster/redis/redis-registry.ts';
import type { Settings } from '../../config/settings.ts';
import type { NodeEnd } from '../../link/node-end.ts';

export interface NodeRegistryOptions {
  readonly settings: Pick<Settings, 'redisUrl' | 'region'>;
  readonly clock: Clock;
  readonly log: { warn(fields: object, sentence: string): void };
  /** Hears how long Redis took. */
  readonly observe: NonNullable<RedisRegistryOptions['observe']>;
  readonly ask: NodeEnd['ask'];
}

/** Redis itself where there is one: a node's life must not hang on its control. Else control keeps it. */
export function openNodeRegistry(options: NodeRegistryOptions): RedisRegistry | AskedRegistry {
  const { settings, clock, log, ask, observe } = options;
  const { redisUrl: url, region } = settings;
  if (url !== undefined) return openRedisRegistry({ url, region, clock, log, observe });
  return new AskedRegistry({
    clock,
    ask: (question, timeLimitMs) => ask({ name: 'registry', question }, timeLimitMs),
  });
}
