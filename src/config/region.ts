import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseObject } from '../base/json.ts';
import { mistakesIn, regionOf } from './region-fields.ts';

/** A region: where it is reached, who takes over for it, what it may carry. One file each in `regions/`. */
export interface Region {
  readonly name: string;
  /** Base URL of its API; null for one that stands alone. */
  readonly address: string | null;
  /** Base URL of its media as a whole, without a node: what others hand out; null where nobody told it. */
  readonly mediaUrl: string | null;
  readonly place: RegionPlace | null;
  /** Names of other regions, in order of preference: whoever of them is well takes over. */
  readonly neighbours: readonly string[];
  /** Its Redis, by which other regions see its nodes; null where they place on the region as a whole. */
  readonly redisUrl: string | null;
  readonly limits: RegionLimits;
  /** By dialect. */
  readonly providers: { readonly [dialect: string]: ProviderEdge };
}

export interface RegionPlace {
  readonly latDeg: number;
  readonly lonDeg: number;
}

export interface RegionLimits {
  /** Legs per media node, where the node's own setting does not say. */
  readonly nodeCapLegs?: number;
}

/** How a provider is reached from a region. */
export interface ProviderEdge {
  /** Base URL of its REST API, where a credential names none. */
  readonly edge: string;
}

/** A region, or every mistake in its file. */
export type ReadRegion = { readonly region: Region } | { readonly mistakes: readonly string[] };

export const REGIONS_DIR = resolve(import.meta.dirname, '../../regions');

/** The region of that name, or every mistake in its file. */
export function readRegion(name: string, folder = REGIONS_DIR): ReadRegion {
  const file = join(folder, `${name}.json`);
  const text = textOf(file);
  // Missing or forbidden: either way the name leads nowhere.
  if (text === undefined) return { mistakes: [`"${name}" names no region: there is no file ${file}`] };
  const content = parseObject(text);
  if (content === undefined) return { mistakes: [`${file} is not a JSON object`] };
  const mistakes = mistakesIn(content, name).map((mistake) => `${file}: ${mistake}`);
  return mistakes.length > 0 ? { mistakes } : { region: regionOf(content) };
}

/** A region and its neighbours as far as they have files. */
export interface Surroundings {
  readonly home: Region;
  /** In the home region's order of preference. */
  readonly neighbours: readonly Region[];
  /** Named as neighbours, without a file here: nothing is placed on them. */
  readonly unknown: readonly string[];
}

/** The region of that name with its neighbours, or every mistake in any of their files. */
export function readSurroundings(
  name: string,
  folder = REGIONS_DIR,
): Surroundings | { readonly mistakes: readonly string[] } {
  const home = readRegion(name, folder);
  if ('mistakes' in home) return home;
  // Files come one after the other when a region is added: one that is not there yet stops nobody's start.
  const known = home.region.neighbours.filter((other) => textOf(join(folder, `${other}.json`)) !== undefined);
  const read = known.map((other) => readRegion(other, folder));
  const mistakes = read.flatMap((one) => ('mistakes' in one ? one.mistakes : []));
  if (mistakes.length > 0) return { mistakes };
  return {
    home: home.region,
    neighbours: read.flatMap((one) => ('region' in one ? [one.region] : [])),
    unknown: home.region.neighbours.filter((other) => !known.includes(other)),
  };
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Not there, or not ours to read: the caller says what that means.
    return undefined;
  }
}
