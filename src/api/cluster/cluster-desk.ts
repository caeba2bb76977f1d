import type { Refusal } from '../../base/errors.ts';

/** Where a new call goes. */
export interface CallPlace {
  /** Base URL of media, of one node where it can be addressed. */
  readonly mediaUrl: string;
  readonly region: string;
}

/** What the API asks about the nodes of the cluster. */
export interface ClusterDesk {
  /**
   * The place of a new call, in the region wished for or the nearest that is well. Refusals:
   * `invalid_argument` where no region is called so here, `overloaded` where every node is full,
   * `unavailable` where none serves.
   */
  place(region?: string): CallPlace | Refusal;
  view(): ClusterView;
}

/** Questions to a registry, counted since the start. */
export interface RegistryView {
  readonly kind: 'redis' | 'host';
  /** `unseen`: no answer yet; `away`: none for longer than a lease. */
  readonly state: 'unseen' | 'seen' | 'away';
  /** Since the last answer. */
  readonly age_ms: number | null;
  readonly round_trip_ms: number;
  readonly looks: number;
  readonly unanswered: number;
}

/** The cluster as one control process sees it. */
export interface ClusterView {
  readonly region: string;
  readonly control: {
    readonly host: string;
    readonly version: string;
    readonly started_at: string;
    /** Whom calls are placed on: those the registry tells of, or, without it, those of this host. */
    readonly placing_on: 'cluster' | 'host';
    readonly nodes_linked: number;
    readonly placements: {
      readonly placed: number;
      readonly placed_abroad: number;
      readonly refused: number;
    };
  };
  readonly registry: RegistryView;
  readonly regions: readonly RegionView[];
  readonly nodes: readonly NodeView[];
}

/** `unknown`: not seen from here. `lost`: none of its nodes serves. `full`: none that serves has room. */
export type RegionState = 'healthy' | 'full' | 'lost' | 'unknown';

export interface RegionView {
  readonly name: string;
  readonly is_own: boolean;
  readonly state: RegionState;
  readonly address: string | null;
  readonly media_url: string | null;
  readonly lat: number | null;
  readonly lon: number | null;
  /** Over ground, from the own region. */
  readonly distance_km: number | null;
  readonly neighbours: readonly string[];
  readonly nodes: number;
  /** Those that new calls are placed on. */
  readonly nodes_fit: number;
  readonly legs: number;
  readonly capacity_legs: number;
  /** Null where nobody looks at its registry from here. */
  readonly registry: RegistryView | null;
}

export interface NodeView {
  /** One life of the node. */
  readonly id: string;
  /** 0 … n−1 on its host. */
  readonly node: number;
  readonly host: string;
  readonly region: string;
  /** What it says of itself. */
  readonly state: string;
  /** Whether new calls are placed on it, as seen from here. */
  readonly standing: 'fit' | 'unfit' | 'stale' | 'gone';
  readonly media_url: string;
  readonly version: string;
  readonly started_at: string | null;
  readonly legs: number;
  readonly calls: number;
  readonly capacity_legs: number;
  /** Legs by capacity. */
  readonly load_ratio: number;
  readonly loop_delay_p99_ms: number;
  readonly spool_free_ratio: number;
  /** Since its last beat was seen; null where it is known by its link alone. */
  readonly beat_age_ms: number | null;
  /** This control's link to it; null for a node of another host. */
  readonly link: 'open' | 'closed' | null;
  /** Its links to other nodes; null where it has not told. */
  readonly peers: { readonly open: number; readonly suspect: number; readonly closed: number } | null;
}
