import { isObject, type JsonObject } from '../base/json.ts';
import { url } from './kinds.ts';
import type { ProviderEdge, Region } from './region.ts';

/** What is wrong with the value of a field; undefined where nothing is. */
type Check = (value: unknown, content: JsonObject) => readonly string[] | string | undefined;

export const REGION_NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
export const NODE_CAP_LEGS_MAX = 10_000;

const EDGE_NAME = /^[a-z][a-z0-9_-]{0,31}$/;
const REDIS_FORM = /^(?:redis|rediss|redis\+sentinel):\/\/\S+$/;
const apiUrl = url(['http', 'https']);
const mediaUrl = url(['ws', 'wss']);

/** Every word of a region file, in the order its mistakes are told. */
const FIELDS: { readonly [field: string]: Check } = {
  address: (value) => urlMistake('address', value, apiUrl),
  wss: (value) => urlMistake('wss', value, mediaUrl),
  lat: (value, { lon }) => degreesMistake(['lat', value], 90, ['lon', lon]),
  lon: (value, { lat }) => degreesMistake(['lon', value], 180, ['lat', lat]),
  neighbours: neighbourMistakes,
  redis: (value) => {
    if (value === undefined || value === null) return undefined;
    const isRedis = typeof value === 'string' && REDIS_FORM.test(value);
    // Not shown: it may hold a password.
    return isRedis ? undefined : '"redis" is not a redis://, rediss:// or redis+sentinel:// URL';
  },
  limits: limitMistakes,
  providers: providerMistakes,
};

/** Everything that is wrong with the file of the region of that name. */
export function mistakesIn(content: JsonObject, name: string): string[] {
  const mistakes = Object.keys(content)
    .filter((key) => key !== 'name' && !(key in FIELDS))
    .map((key) => `"${key}" is not a word of a region file`);
  if (content['name'] !== name) mistakes.push(`"name" is not "${name}", the name of the file`);
  for (const [field, check] of Object.entries(FIELDS)) {
    mistakes.push(...[check(content[field], content) ?? []].flat());
  }
  return mistakes;
}

/** The region a file without mistakes tells of. */
export function regionOf(content: JsonObject): Region {
  const { lat, lon } = content;
  const { node_cap_legs: nodeCapLegs } = content['limits'] as { readonly node_cap_legs?: number };
  const isPlaced = typeof lat === 'number' && typeof lon === 'number';
  return {
    name: content['name'] as string,
    address: trimmed(content['address']),
    mediaUrl: trimmed(content['wss']),
    place: isPlaced ? { latDeg: lat, lonDeg: lon } : null,
    neighbours: content['neighbours'] as readonly string[],
    redisUrl: (content['redis'] as string | null | undefined) ?? null,
    limits: nodeCapLegs === undefined ? {} : { nodeCapLegs },
    providers: (content['providers'] ?? {}) as { readonly [dialect: string]: ProviderEdge },
  };
}

/** As it is joined with paths: without a slash at its end. */
function trimmed(value: unknown): string | null {
  return typeof value === 'string' ? value.replace(/\/+$/, '') : null;
}

function urlMistake(field: string, value: unknown, kind: typeof apiUrl): string | undefined {
  // An address has always had to be told, if only as null.
  if (value === null || (value === undefined && field !== 'address')) return undefined;
  if (typeof value !== 'string') return `"${field}" is neither a URL nor null`;
  const parsed = kind.parse(value);
  return 'mistake' in parsed ? `"${field}" ${parsed.mistake}` : undefined;
}

function degreesMistake(
  [field, value]: readonly [string, unknown],
  max: number,
  [other, otherValue]: readonly [string, unknown],
): string | undefined {
  if (value === undefined) {
    return otherValue === undefined ? undefined : `"${field}" is missing beside "${other}"`;
  }
  const isWithin = typeof value === 'number' && Math.abs(value) <= max;
  return isWithin ? undefined : `"${field}" is not a number of degrees in the range -${max} to ${max}`;
}

function neighbourMistakes(value: unknown, { name }: JsonObject): readonly string[] {
  const isNames =
    Array.isArray(value) && value.every((one) => typeof one === 'string' && REGION_NAME.test(one));
  if (!isNames) return ['"neighbours" is not a list of region names'];
  const twice = value.find((one, at) => value.indexOf(one) !== at);
  return [
    ...(value.includes(name) ? ['"neighbours" names the region itself'] : []),
    ...(twice === undefined ? [] : [`"neighbours" names "${String(twice)}" twice`]),
  ];
}

function limitMistakes(limits: unknown): readonly string[] {
  if (!isObject(limits)) return ['"limits" is not an object'];
  const mistakes = Object.keys(limits)
    .filter((key) => key !== 'node_cap_legs')
    .map((key) => `"limits.${key}" is not a limit of a region`);
  const cap = limits['node_cap_legs'];
  const isCap = typeof cap === 'number' && Number.isInteger(cap) && cap >= 1 && cap <= NODE_CAP_LEGS_MAX;
  if (cap !== undefined && !isCap) {
    mistakes.push(`"limits.node_cap_legs" is not a whole number in the range 1 to ${NODE_CAP_LEGS_MAX}`);
  }
  return mistakes;
}

function providerMistakes(providers: unknown): readonly string[] {
  if (providers === undefined) return [];
  if (!isObject(providers)) return ['"providers" is not an object'];
  return Object.entries(providers).flatMap(([name, terms]) => {
    if (!EDGE_NAME.test(name)) return [`"providers.${name}" is not the name of a dialect`];
    if (!isObject(terms)) return [`"providers.${name}" is not an object`];
    const strange = Object.keys(terms).filter((key) => key !== 'edge');
    const edge = terms['edge'];
    const parsed = typeof edge === 'string' ? apiUrl.parse(edge) : { mistake: 'is not a URL' };
    return [
      ...strange.map((key) => `"providers.${name}.${key}" is not known of a provider`),
      ...('mistake' in parsed ? [`"providers.${name}.edge" ${parsed.mistake}`] : []),
    ];
  });
}
