import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import { answers, Nullable, ok } from '../answers.ts';
import type { RouteContext } from '../routes/route-context.ts';
import type { ClusterView } from './cluster-desk.ts';

const Registry = Type.Object({
  kind: Type.String({ enum: ['redis', 'host'], description: '`host`: the memory of the control process' }),
  state: Type.String({
    enum: ['unseen', 'seen', 'away'],
    description: '`away`: no answer for longer than a lease',
  }),
  age_ms: Nullable(Type.Number({ description: 'since the last answer' })),
  round_trip_ms: Type.Number(),
  looks: Type.Integer(),
  unanswered: Type.Integer(),
});

const Region = Type.Object({
  name: Type.String(),
  is_own: Type.Boolean(),
  state: Type.String({
    enum: ['healthy', 'full', 'lost', 'unknown'],
    description: '`lost`: none of its nodes serves; `unknown`: it is not seen from here',
  }),
  address: Nullable(Type.String()),
  media_url: Nullable(Type.String()),
  lat: Nullable(Type.Number()),
  lon: Nullable(Type.Number()),
  distance_km: Nullable(Type.Number({ description: 'over ground, from the own region' })),
  neighbours: Type.Array(Type.String(), { description: 'who takes over, in order of preference' }),
  nodes: Type.Integer(),
  nodes_fit: Type.Integer({ description: 'those that new calls are placed on' }),
  legs: Type.Integer(),
  capacity_legs: Type.Integer(),
  registry: Nullable(Registry),
});

const Node = Type.Object({
  id: Type.String({ description: 'one life of the node' }),
  node: Type.Integer({ description: 'its number on its host' }),
  host: Type.String(),
  region: Type.String(),
  state: Type.String({ description: 'what it says of itself' }),
  standing: Type.String({
    enum: ['fit', 'unfit', 'stale', 'gone'],
    description: 'whether new calls are placed on it, as seen from here',
  }),
  media_url: Type.String(),
  version: Type.String(),
  started_at: Nullable(Type.String()),
  legs: Type.Integer(),
  calls: Type.Integer(),
  capacity_legs: Type.Integer(),
  load_ratio: Type.Number({ description: 'legs by capacity; beyond 1 by legs that came back' }),
  loop_delay_p99_ms: Type.Number(),
  spool_free_ratio: Type.Number(),
  beat_age_ms: Nullable(Type.Number({ description: 'null where it is known by its link alone' })),
  link: Nullable(
    Type.String({
      enum: ['open', 'closed', null],
      description: 'this control’s own; null for other hosts’ nodes',
    }),
  ),
  peers: Nullable(
    Type.Object(
      { open: Type.Integer(), suspect: Type.Integer(), closed: Type.Integer() },
      { description: 'its links to other nodes' },
    ),
  ),
});

const Cluster = Type.Object({
  region: Type.String({ description: 'where the answering control process is' }),
  control: Type.Object({
    host: Type.String(),
    version: Type.String(),
    started_at: Type.String(),
    placing_on: Type.String({
      enum: ['cluster', 'host'],
      description: '`host`: the registry is away, and calls are placed on nodes of this host alone',
    }),
    nodes_linked: Type.Integer(),
    placements: Type.Object({
      placed: Type.Integer(),
      placed_abroad: Type.Integer({ description: 'in another region than the one asked for' }),
      refused: Type.Integer(),
    }),
  }),
  registry: Registry,
  regions: Type.Array(Region),
  nodes: Type.Array(Node),
});

/** The cluster: who is there, who is well, where calls go. */
export const clusterRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, { cluster }) => {
  app.route({
    method: 'GET',
    url: '/cluster',
    config: { access: { scope: 'ops' } },
    schema: {
      summary: 'Look at regions, nodes and the registry, as this control process sees them',
      tags: ['Cluster'],
      response: answers(Cluster),
    },
    handler: async (request) => ok(request, shown(cluster.view())),
  });
};

function shown({ regions, nodes, ...view }: ClusterView): Static<typeof Cluster> {
  return {
    ...view,
    regions: regions.map((region) => ({ ...region, neighbours: [...region.neighbours] })),
    nodes: [...nodes],
  };
}
