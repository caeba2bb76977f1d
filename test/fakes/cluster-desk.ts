import type { CallPlace, ClusterDesk, ClusterView } from '../../src/api/cluster/cluster-desk.ts';
import { refuse, type Refusal } from '../../src/base/errors.ts';

/** A cluster of one node in one region, as the API asks about it. */
export class FakeCluster implements ClusterDesk {
  refusal: Refusal | undefined;
  readonly #serving: () => number;

  constructor(serving: () => number = () => 1) {
    this.#serving = serving;
  }

  place(region = 'local'): CallPlace | Refusal {
    if (this.refusal !== undefined) return this.refusal;
    if (region !== 'local') return refuse('invalid_argument', 'served here: local');
    if (this.#serving() === 0) return refuse('unavailable', 'no media node is serving');
    return { mediaUrl: 'ws://127.0.0.1:8081', region };
  }

  view(): ClusterView {
    return {
      region: 'local',
      control: {
        host: 'host-a',
        version: '0.0.0',
        started_at: '2026-11-20T12:00:00.000Z',
        placing_on: 'cluster',
        nodes_linked: 1,
        placements: { placed: 3, placed_abroad: 1, refused: 0 },
      },
      registry: { kind: 'host', state: 'seen', age_ms: 120, round_trip_ms: 0.4, looks: 9, unanswered: 1 },
      regions: [
        {
          name: 'local',
          is_own: true,
          state: 'healthy',
          address: null,
          media_url: null,
          lat: null,
          lon: null,
          distance_km: null,
          neighbours: ['south'],
          nodes: 1,
          nodes_fit: 1,
          legs: 2,
          capacity_legs: 800,
          registry: null,
        },
      ],
      nodes: [
        {
          id: 'n0-abcdefgh',
          node: 0,
          host: 'host-a',
          region: 'local',
          state: 'serving',
          standing: 'fit',
          media_url: 'ws://127.0.0.1:8082',
          version: '0.0.0',
          started_at: '2026-11-20T12:00:00.000Z',
          legs: 2,
          calls: 1,
          capacity_legs: 800,
          load_ratio: 0.003,
          loop_delay_p99_ms: 1.5,
          spool_free_ratio: 0.99,
          beat_age_ms: 200,
          link: 'open',
          peers: { open: 1, suspect: 0, closed: 0 },
        },
      ],
    };
  }
}
