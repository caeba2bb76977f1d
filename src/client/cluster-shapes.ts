/** `GET /cluster`, as far as our own tools read it (docs/cluster.md). */
export interface Cluster {
  readonly region: string;
  readonly control: {
    readonly host: string;
    readonly placing_on: 'cluster' | 'host';
    readonly nodes_linked: number;
    readonly placements: {
      readonly placed: number;
      readonly placed_abroad: number;
      readonly refused: number;
    };
  };
  readonly registry: ClusterRegistry;
  readonly regions: readonly ClusterRegion[];
  readonly nodes: readonly ClusterNode[];
}

export interface ClusterRegistry {
  readonly kind: 'redis' | 'host';
  readonly state: 'unseen' | 'seen' | 'away';
  readonly age_ms: number | null;
  readonly round_trip_ms: number;
  readonly unanswered: number;
}

export interface ClusterRegion {
  readonly name: string;
  readonly is_own: boolean;
  readonly state: 'healthy' | 'full' | 'lost' | 'unknown';
  readonly distance_km: number | null;
  readonly neighbours: readonly string[];
  readonly nodes: number;
  readonly nodes_fit: number;
  readonly legs: number;
  readonly capacity_legs: number;
}

export interface ClusterNode {
  readonly id: string;
  readonly node: number;
  readonly host: string;
  readonly region: string;
  readonly state: string;
  readonly standing: 'fit' | 'unfit' | 'stale' | 'gone';
  readonly media_url: string;
  readonly version: string;
  readonly legs: number;
  readonly calls: number;
  readonly capacity_legs: number;
  readonly load_ratio: number;
  readonly loop_delay_p99_ms: number;
  readonly beat_age_ms: number | null;
  readonly link: 'open' | 'closed' | null;
  readonly peers: { readonly open: number; readonly suspect: number; readonly closed: number } | null;
}
