import type { NodeView, RegionState, RegionView, RegistryView } from '../../api/cluster/cluster-desk.ts';
import type { RegionWatch } from '../../cluster/placing/region-watch.ts';
import type { Region, RegionPlace } from '../../config/region.ts';

/** IUGG mean radius. */
const EARTH_RADIUS_KM = 6_371;

const STAYING = ['serving', 'degraded'];

export interface RegionSight {
  readonly home: Region;
  /** Absent where nobody looks at its registry from here. */
  readonly watch: RegionWatch | undefined;
  readonly kind: RegistryView['kind'];
  /** Of all regions. */
  readonly nodes: readonly NodeView[];
}

/** How a registry answers. */
export function registryViewOf(watch: RegionWatch, kind: RegistryView['kind']): RegistryView {
  const { state, ageMs, roundTripMs, counts } = watch;
  return {
    kind,
    state,
    age_ms: ageMs === undefined ? null : Math.round(ageMs),
    round_trip_ms: Math.round(roundTripMs * 100) / 100,
    looks: counts.looks,
    unanswered: counts.unanswered,
  };
}

/** A region, and what its nodes come to. */
export function regionViewOf(region: Region, { home, watch, kind, nodes }: RegionSight): RegionView {
  const present = nodes.filter((node) => node.region === region.name && node.standing !== 'gone');
  const fit = present.filter(({ standing }) => standing === 'fit');
  // One that is late for a moment still carries what it carries; one that leaves will carry no more.
  const staying = present.filter(({ state, standing }) => STAYING.includes(state) && standing !== 'stale');
  const { place } = region;
  return {
    name: region.name,
    is_own: region === home,
    state: stateOf(fit, watch, region === home),
    address: region.address,
    media_url: region.mediaUrl,
    lat: place?.latDeg ?? null,
    lon: place?.lonDeg ?? null,
    distance_km: place === null || home.place === null ? null : Math.round(distanceKm(home.place, place)),
    neighbours: region.neighbours,
    nodes: present.length,
    nodes_fit: fit.length,
    legs: present.reduce((sum, { legs }) => sum + legs, 0),
    capacity_legs: staying.reduce((sum, { capacity_legs }) => sum + capacity_legs, 0),
    registry: watch === undefined ? null : registryViewOf(watch, kind),
  };
}

/** Of the own region the links tell as well; of another only its registry does. */
function stateOf(fit: readonly NodeView[], watch: RegionWatch | undefined, isOwn: boolean): RegionState {
  const isSeen = watch?.state === 'seen';
  if (!isSeen && (!isOwn || fit.length === 0)) return 'unknown';
  if (fit.length === 0) return 'lost';
  return fit.every(({ legs, capacity_legs }) => legs >= capacity_legs) ? 'full' : 'healthy';
}

/** Over ground, by the haversine formula. */
function distanceKm(from: RegionPlace, to: RegionPlace): number {
  const rad = (deg: number): number => (deg * Math.PI) / 180;
  const half = (one: number, other: number): number => Math.sin(rad(other - one) / 2) ** 2;
  const across = Math.cos(rad(from.latDeg)) * Math.cos(rad(to.latDeg)) * half(from.lonDeg, to.lonDeg);
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(half(from.latDeg, to.latDeg) + across)));
}
