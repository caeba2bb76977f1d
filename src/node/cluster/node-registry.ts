import type { Clock } from '../../base/clock.ts';
import { AskedRegistry } from '../../cluster/asked-registry.ts';
import { CopiedRegistry } from '../../cluster/copied-registry.ts';
import { openRedisRegistry } from '../../cluster/redis/open-redis.ts';
import type { RedisRegistryOptions } from '../../cluster/redis/redis-registry.ts';
import type { Region } from '../../config/region.ts';
import type { Settings } from '../../config/settings.ts';
import type { NodeEnd } from '../../link/node-end.ts';

export interface NodeRegistryOptions {
  readonly settings: Pick<Settings, 'redisUrl' | 'region'>;
  /** Those with a Redis keep copies of this region's calls. */
  readonly neighbours: readonly Region[];
  readonly clock: Clock;
  readonly log: { warn(fields: object, sentence: string): void };
  /** Hears how long Redis took. */
  readonly observe: NonNullable<RedisRegistryOptions['observe']>;
  readonly ask: NodeEnd['ask'];
}

/** Redis itself where there is one: a node's life must not hang on its control. Else control keeps it. */
export function openNodeRegistry(options: NodeRegistryOptions): CopiedRegistry | AskedRegistry {
  const { settings, neighbours, clock, log, ask, observe } = options;
  const { redisUrl: url, region } = settings;
  if (url !== undefined) {
    const keepers = neighbours.flatMap(({ name, redisUrl }) =>
      redisUrl === null ? [] : [openRedisRegistry({ url: redisUrl, region: name, clock, log })],
    );
    return new CopiedRegistry(openRedisRegistry({ url, region, clock, log, observe }), keepers);
  }
  return new AskedRegistry({
    clock,
    ask: (question, timeLimitMs) => ask({ name: 'registry', question }, timeLimitMs),
  });
}
