import type { NodeView } from '../../api/cluster/cluster-desk.ts';
import type { Place } from '../../cluster/placing/placement.ts';
import type { SeenNode } from '../../cluster/placing/region-watch.ts';
import type { ConnectedNode } from '../../link/node-lifeline.ts';

/** What this host knows of its own nodes without a registry. */
export interface OwnHost {
  readonly linked: readonly ConnectedNode[];
  readonly host: string;
  readonly version: string;
  readonly mediaUrl: (node?: number) => string;
}

const STANDINGS = { fit: 'fit', unfit: 'unfit', stale: 'stale', unknown: 'stale', dead: 'gone' } as const;

/** Nodes of this host that serve, by what they said over their links. */
export function linkedPlaces(
  linked: readonly ConnectedNode[],
  { host, region, mediaUrl }: Pick<OwnHost, 'host' | 'mediaUrl'> & { readonly region: string },
): readonly Place[] {
  return linked.flatMap(({ incarnation, hello, status, isServing }) => {
    if (!isServing || status?.state !== 'serving') return [];
    const { legs, capLegs } = status;
    return [{ incarnation, region, host, mediaUrl: mediaUrl(hello.node), legs, capLegs }];
  });
}

/** Everybody of a region who was seen, and of the own one who is linked as well. */
export function nodesOfView(
  seen: readonly SeenNode[],
  own: OwnHost,
  where: 'here' | 'elsewhere' = 'here',
): readonly NodeView[] {
  const byRegistry = seen.map((node) => seenView(node, own.linked));
  if (where === 'elsewhere') return byRegistry;
  const known = new Set(byRegistry.map(({ id }) => id));
  return [...byRegistry, ...own.linked.filter((node) => !known.has(node.incarnation)).map(linkedView(own))];
}

function seenView({ record, standing, silentMs }: SeenNode, linked: readonly ConnectedNode[]): NodeView {
  const { incarnation, legs, capLegs } = record;
  const link = linked.find((node) => node.incarnation === incarnation);
  return {
    id: incarnation,
    node: record.node,
    host: record.host,
    region: record.region,
    state: record.state,
    standing: STANDINGS[standing],
    media_url: record.mediaUrl,
    version: record.version,
    started_at: new Date(record.startedAtUnixMs).toISOString(),
    legs,
    calls: record.calls,
    capacity_legs: capLegs,
    load_ratio: ratioOf(legs, capLegs),
    loop_delay_p99_ms: tenths(record.loopDelayP99Ms),
    spool_free_ratio: ratioOf(record.spoolFreeRatio, 1),
    beat_age_ms: Math.round(silentMs),
    link: link === undefined ? null : link.isConnected ? 'open' : 'closed',
    peers: record.peers ?? null,
  };
}

/** A node that no registry tells of: it has just started, or the registry is away. */
function linkedView({ host, version, mediaUrl }: OwnHost): (node: ConnectedNode) => NodeView {
  return ({ incarnation, hello, status, isConnected, isServing }) => ({
    id: incarnation,
    node: hello.node,
    host,
    region: hello.region,
    state: status?.state ?? 'starting',
    standing: isServing && status?.state === 'serving' ? 'fit' : 'unfit',
    media_url: mediaUrl(hello.node),
    version,
    started_at: null,
    legs: status?.legs ?? 0,
    calls: status?.calls ?? 0,
    capacity_legs: status?.capLegs ?? 0,
    load_ratio: ratioOf(status?.legs ?? 0, status?.capLegs ?? 0),
    loop_delay_p99_ms: tenths(status?.loopDelayP99Ms ?? 0),
    spool_free_ratio: 1,
    beat_age_ms: null,
    link: isConnected ? 'open' : 'closed',
    peers: null,
  });
}

function tenths(ms: number): number {
  return Math.round(10 * ms) / 10;
}

function ratioOf(legs: number, capLegs: number): number {
  return Math.round((1000 * legs) / Math.max(1, capLegs)) / 1000;
}
