import type { Clock } from '../../base/clock.ts';
import type { Closeable } from '../../base/lifetime.ts';
import type { Place } from '../../cluster/placing/placement.ts';
import { RegionWatch } from '../../cluster/placing/region-watch.ts';
import type { Registry } from '../../cluster/registry.ts';
import type { Region } from '../../config/region.ts';

/** The registry of another region. */
export interface FarRegistry extends Pick<Registry, 'nodes'> {
  close(): void;
}

export interface NeighbourOptions {
  readonly region: Region;
  readonly clock: Pick<Clock, 'nowMs' | 'after'>;
  readonly openRegistry: (url: string, region: string) => FarRegistry;
}

/** Another region as this one sees it: node by node through its registry, or as a whole by its media URL. */
export class NeighbourRegion implements Closeable {
  readonly region: Region;
  readonly watch: RegionWatch | undefined;
  readonly #registry: FarRegistry | undefined;

  constructor({ region, clock, openRegistry }: NeighbourOptions) {
    this.region = region;
    if (region.redisUrl === null) return;
    const registry = openRegistry(region.redisUrl, region.name);
    this.#registry = registry;
    this.watch = new RegionWatch({ clock, registry });
  }

  /** Who of it calls can be placed on. A registry that is away says nothing against its nodes. */
  places(): readonly Place[] {
    if (this.watch?.state === 'seen') return this.watch.fit();
    const { name, mediaUrl } = this.region;
    if (mediaUrl === null) return [];
    const whole = { incarnation: `region:${name}`, host: name, legs: 0, capLegs: Number.MAX_SAFE_INTEGER };
    return [{ ...whole, region: name, mediaUrl }];
  }

  close(): void {
    this.watch?.close();
    this.#registry?.close();
  }
}
