import type { Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import { openRedisRegistry } from '../../cluster/redis/open-redis.ts';
import type { Registry } from '../../cluster/registry.ts';
import { mediaUrlOf, type AddressSettings } from '../../config/addresses.ts';
import { readSurroundings, type Surroundings } from '../../config/region.ts';
import type { Settings } from '../../config/settings.ts';
import { HostCluster } from './host-cluster.ts';

export interface OpenHostClusterOptions {
  readonly settings: AddressSettings & Pick<Settings, 'redisUrl'>;
  readonly surroundings: Surroundings;
  readonly registry: Pick<Registry, 'nodes'>;
  readonly version: string;
  readonly clock: Clock;
  readonly log: { warn(fields: object, sentence: string): void };
}

/** Starts to look at the cluster: the own region, and the neighbours whose Redis is named. */
export function openHostCluster(options: OpenHostClusterOptions): HostCluster {
  const { settings, surroundings, registry, version, clock, log } = options;
  if (surroundings.unknown.length > 0) {
    log.warn({ regions: surroundings.unknown }, 'neighbours without a file: nothing is placed on them');
  }
  return new HostCluster({
    clock,
    version,
    surroundings,
    registry,
    isRedis: settings.redisUrl !== undefined,
    openRegistry: (url, region) => openRedisRegistry({ url, region, clock, log }),
    mediaUrl: (node) => mediaUrlOf(settings, node),
  });
}

/** The region of this host and its neighbours. Their files were well when the settings were read. */
export function surroundingsOf({
  region,
  regionsDir,
}: Pick<Settings, 'region' | 'regionsDir'>): Surroundings {
  const read = readSurroundings(region, regionsDir);
  if ('home' in read) return read;
  throw new VoiceError('invalid_argument', read.mistakes.join('; '));
}
