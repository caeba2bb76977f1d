import { hostname } from 'node:os';
import type { CallPlace, ClusterDesk, ClusterView } from '../../api/cluster/cluster-desk.ts';
import type { Clock } from '../../base/clock.ts';
import { refuse, type Refusal } from '../../base/errors.ts';
import type { Closeable } from '../../base/lifetime.ts';
import { Placement, type Place } from '../../cluster/placing/placement.ts';
import type { Standing } from '../../cluster/membership.ts';
import { RegionWatch } from '../../cluster/placing/region-watch.ts';
import type { Registry } from '../../cluster/registry.ts';
import type { Surroundings } from '../../config/region.ts';
import type { ConnectedNode } from '../../link/node-lifeline.ts';
import { linkedPlaces, nodesOfView } from './node-views.ts';
import { NeighbourRegion, type FarRegistry } from './neighbour-region.ts';
import { regionViewOf, registryViewOf } from './region-views.ts';

export interface HostClusterOptions {
  readonly clock: Pick<Clock, 'nowMs' | 'unixMs' | 'after' | 'randomBytes'>;
  readonly version: string;
  readonly surroundings: Surroundings;
  /** Of this host's region. */
  readonly registry: Pick<Registry, 'nodes'>;
  readonly isRedis: boolean;
  /** Opens the registry of another region. */
  readonly openRegistry: (url: string, region: string) => FarRegistry;
  /** `ws://…` of a node of this host; of all of them where none is named. */
  readonly mediaUrl: (node?: number) => string;
}

const isSilent = (standing: Standing): boolean => standing === 'stale' || standing === 'dead';

/** How many nodes of its own region a provider's list of streams has, and how many of others. */
const LIST = { nearMax: 2, abroadMax: 1 };

/**
 * The cluster as a control process sees it, and where it sends new calls. It asks the registry by itself;
 * while that is away it goes on with what it saw for a lease, and then with the nodes of its own host.
 */
export class HostCluster implements ClusterDesk, Closeable {
  readonly #options: HostClusterOptions;
  readonly #placement: Placement;
  readonly #watch: RegionWatch;
  readonly #neighbours: readonly NeighbourRegion[];
  readonly #startedAtUnixMs: number;
  #linked: () => readonly ConnectedNode[] = () => [];

  constructor(options: HostClusterOptions) {
    const { clock, registry, surroundings, openRegistry } = options;
    const { home, neighbours } = surroundings;
    this.#options = options;
    this.#startedAtUnixMs = clock.unixMs();
    this.#watch = new RegionWatch({ clock, registry });
    this.#neighbours = neighbours.map((region) => new NeighbourRegion({ region, clock, openRegistry }));
    const regions = [home, ...neighbours].map(({ name }) => name);
    this.#placement = new Placement({ clock, regions });
  }

  /** The nodes of this host are known once the link is open. */
  fit(linked: () => readonly ConnectedNode[]): void {
    this.#linked = linked;
  }

  /** For `/metrics`. */
  get stats() {
    const watches = [this.#watch, ...this.#neighbours.flatMap(({ watch }) => watch ?? [])];
    const unanswered = watches.reduce((sum, { counts }) => sum + counts.unanswered, 0);
    return { ...this.#placement.counts, unanswered };
  }

  place(region = this.#home.name): CallPlace | Refusal {
    const order = this.#orderFrom(region);
    if (order === undefined) {
      return refuse('invalid_argument', `served here: ${this.#orderFrom(this.#home.name)?.join(', ')}`);
    }
    const fit = this.#fit();
    const chosen = this.#placement.place(fit, order);
    if (chosen !== undefined) return chosen;
    if (fit.length > 0) return refuse('overloaded', 'every media node has all the legs it may have');
    // Late is better than none: whoever is in no state to be chosen may still let somebody in.
    if (this.#responsive().some((node) => node.isServing && node.status?.state === 'degraded')) {
      return { mediaUrl: this.#options.mediaUrl(), region: this.#home.name };
    }
    return refuse('unavailable', 'no media node is serving');
  }

  /** Where a provider's streams may go, best first; empty where nobody is known to have room. */
  mediaUrls(): readonly string[] {
    const list = this.#placement.placeList(this.#fit(), LIST);
    const [near, abroad] = [list.filter(this.#isHome), list.filter((place) => !this.#isHome(place))];
    // A node that is late, or has just started, is better than the same one again: the kernel knows them.
    const anybody = near.length > 0 && near.length < LIST.nearMax ? [this.#options.mediaUrl()] : [];
    const urlsOf = (places: readonly Place[]): readonly string[] => places.map(({ mediaUrl }) => mediaUrl);
    return [...new Set([...urlsOf(near), ...anybody, ...urlsOf(abroad)])];
  }

  /**
   * Nodes of the neighbours that keep copies of calls, and may go on with them; undefined while the registry
   * of one of them is silent.
   */
  elsewhere(): ReadonlySet<string> | undefined {
    const watches = this.#neighbours.flatMap(({ watch }) => watch ?? []);
    if (watches.some(({ state }) => state !== 'seen')) return undefined;
    const present = watches.flatMap((watch) => watch.nodes().filter(({ standing }) => standing !== 'dead'));
    return new Set(present.map(({ record }) => record.incarnation));
  }

  view(): ClusterView {
    const { version, surroundings, isRedis } = this.#options;
    const kind = isRedis ? 'redis' : 'host';
    const linked = this.#linked();
    const { placed, placedAbroad, refused } = this.#placement.counts;
    const hosts = { linked, version, mediaUrl: this.#options.mediaUrl, host: hostname() };
    const nodes = [
      ...nodesOfView(this.#watch.nodes(), hosts),
      ...this.#neighbours.flatMap(({ watch }) => nodesOfView(watch?.nodes() ?? [], hosts, 'elsewhere')),
    ];
    return {
      region: this.#home.name,
      control: {
        host: hostname(),
        version,
        started_at: new Date(this.#startedAtUnixMs).toISOString(),
        placing_on: this.#watch.fit().length > 0 ? 'cluster' : 'host',
        nodes_linked: linked.filter(({ isConnected }) => isConnected).length,
        placements: { placed, placed_abroad: placedAbroad, refused },
      },
      registry: registryViewOf(this.#watch, kind),
      regions: [
        regionViewOf(surroundings.home, { home: surroundings.home, watch: this.#watch, kind, nodes }),
        ...this.#neighbours.map(({ region, watch }) =>
          regionViewOf(region, { home: surroundings.home, watch, kind: 'redis', nodes }),
        ),
      ],
      nodes,
    };
  }

  close(): void {
    this.#watch.close();
    for (const neighbour of this.#neighbours) neighbour.close();
  }

  readonly #isHome = ({ region }: Place): boolean => region === this.#home.name;

  get #home() {
    return this.#options.surroundings.home;
  }

  /** Regions for a call wished for in that one; undefined where it is not known here. */
  #orderFrom(region: string): readonly string[] | undefined {
    const { home, neighbours } = this.#options.surroundings;
    const known = [home, ...neighbours];
    const wished = known.find(({ name }) => name === region);
    if (wished === undefined) return undefined;
    const names = known.map(({ name }) => name);
    const next = wished.neighbours.filter((name) => names.includes(name));
    return [...new Set([region, ...next, ...(wished === home ? names : [])])];
  }

  #fit(): readonly Place[] {
    const seen = this.#watch.fit();
    const home = seen.length > 0 ? seen : this.#ownHost();
    return [...home, ...this.#neighbours.flatMap((neighbour) => neighbour.places())];
  }

  /** Nodes of this host that the registry has nothing against: it does not know them yet, or is away. */
  #ownHost(): readonly Place[] {
    const region = this.#home.name;
    return linkedPlaces(this.#responsive(), { host: hostname(), region, mediaUrl: this.#options.mediaUrl });
  }

  /** A process that stands still has its link open: its beats tell. */
  #responsive(): readonly ConnectedNode[] {
    const seen = this.#watch.state === 'seen' ? this.#watch.nodes() : [];
    const silent = new Set(
      seen.flatMap(({ record, standing }) => (isSilent(standing) ? [record.incarnation] : [])),
    );
    return this.#linked().filter(({ incarnation }) => !silent.has(incarnation));
  }
}
