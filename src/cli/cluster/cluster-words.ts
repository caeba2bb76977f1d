import type { Cluster, ClusterNode, ClusterRegion, ClusterRegistry } from '../../client/cluster-shapes.ts';
import { textTable } from '../text-table.ts';

/** The cluster for people: a line of its registry, then regions and nodes as tables. */
export function clusterWords({ region, control, registry, regions, nodes }: Cluster): string {
  const { placed, placed_abroad: abroad, refused } = control.placements;
  return [
    `${registryWords(registry)}\n`,
    `seen from ${control.host} in ${region}: calls are placed on ${placingWords(control.placing_on)}; ` +
      `${placed} placed (${abroad} in another region), ${refused} refused since its start\n`,
    `\n${regionTable(regions)}`,
    nodes.length === 0 ? '\nno nodes\n' : `\n${nodeTable(nodes)}`,
  ].join('');
}

function registryWords({ kind, state, age_ms, round_trip_ms, unanswered }: ClusterRegistry): string {
  const name = kind === 'redis' ? 'Redis' : 'the registry of this host';
  const vain = `unanswered since the start: ${unanswered}`;
  if (age_ms === null) return `${name} has not answered yet; ${vain}`;
  const words = state === 'away' ? `is away since ${secondsOf(age_ms)}` : `answers in ${round_trip_ms} ms`;
  return `${name} ${words}; ${vain}`;
}

function placingWords(placingOn: Cluster['control']['placing_on']): string {
  return placingOn === 'cluster' ? 'all nodes of the region' : 'nodes of this host alone';
}

function regionTable(regions: readonly ClusterRegion[]): string {
  const headings = ['REGION', 'STATE', 'NODES', 'FIT', 'LEGS', 'CAPACITY', 'KM', 'NEIGHBOURS'];
  const rows = regions.map((region) => [
    region.is_own ? `${region.name} *` : region.name,
    region.state,
    String(region.nodes),
    String(region.nodes_fit),
    String(region.legs),
    String(region.capacity_legs),
    region.distance_km === null ? '–' : String(region.distance_km),
    region.neighbours.join(', ') || '–',
  ]);
  return textTable(headings, rows);
}

function nodeTable(nodes: readonly ClusterNode[]): string {
  const headings = [
    'NODE',
    'HOST',
    'REGION',
    'STATE',
    'PLACED ON',
    'LEGS',
    'LOAD',
    'LATE',
    'BEAT',
    'LINK',
    'PEERS',
  ];
  const rows = nodes.map((node) => [
    node.id,
    node.host,
    node.region,
    node.state,
    node.standing === 'fit' ? 'yes' : node.standing === 'unfit' ? 'no' : node.standing,
    `${node.legs}/${node.capacity_legs}`,
    `${Math.round(100 * node.load_ratio)} %`,
    `${Math.round(node.loop_delay_p99_ms)} ms`,
    node.beat_age_ms === null ? '–' : secondsOf(node.beat_age_ms),
    node.link ?? '–',
    node.peers === null
      ? '–'
      : `${node.peers.open}/${node.peers.open + node.peers.suspect + node.peers.closed}`,
  ]);
  return textTable(headings, rows);
}

function secondsOf(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
