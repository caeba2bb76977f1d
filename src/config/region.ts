import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isObject, parseObject, type JsonObject } from '../base/json.ts';

/** A region: where it is reached, who takes over for it, what it may carry. One file each in `regions/`. */
export interface Region {
  readonly name: string;
  /** Where others reach the region; null for one that stands alone. */
  readonly address: string | null;
  /** Names of other regions, in order of preference. */
  readonly neighbours: readonly string[];
  readonly limits: RegionLimits;
}

export interface RegionLimits {
  /** Legs per media node, where the node's own setting does not say. */
  readonly nodeCapLegs?: number;
}

export const REGION_NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
export const NODE_CAP_LEGS_MAX = 10_000;

const REGIONS_DIR = resolve(import.meta.dirname, '../../regions');
const KNOWN = ['name', 'address', 'neighbours', 'limits'];

/** The region of that name, or every mistake in its file. */
export function readRegion(
  name: string,
  folder = REGIONS_DIR,
): { readonly region: Region } | { readonly mistakes: readonly string[] } {
  const file = join(folder, `${name}.json`);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // Missing or forbidden: either way the name leads nowhere.
    return { mistakes: [`"${name}" names no region: there is no file ${file}`] };
  }
  const content = parseObject(text);
  if (content === undefined) return { mistakes: [`${file} is not a JSON object`] };
  const mistakes = mistakesOf(content, name).map((mistake) => `${file}: ${mistake}`);
  if (mistakes.length > 0) return { mistakes };
  return { region: regionOf(content) };
}

function regionOf(content: JsonObject): Region {
  const limits = content['limits'] as { readonly node_cap_legs?: number };
  return {
    name: content['name'] as string,
    address: content['address'] as string | null,
    neighbours: content['neighbours'] as readonly string[],
    limits: limits.node_cap_legs === undefined ? {} : { nodeCapLegs: limits.node_cap_legs },
  };
}

function mistakesOf(content: JsonObject, name: string): string[] {
  const { address, neighbours, limits } = content;
  const mistakes = Object.keys(content)
    .filter((key) => !KNOWN.includes(key))
    .map((key) => `"${key}" is not a word of a region file`);
  if (content['name'] !== name) mistakes.push(`"name" is not "${name}", the name of the file`);
  if (address !== null && typeof address !== 'string') mistakes.push('"address" is neither a text nor null');
  const isNames = Array.isArray(neighbours) && neighbours.every((other) => isRegionName(other));
  if (!isNames) mistakes.push('"neighbours" is not a list of region names');
  if (isNames && neighbours.includes(name)) mistakes.push('"neighbours" names the region itself');
  return [...mistakes, ...limitMistakes(limits)];
}

function limitMistakes(limits: unknown): string[] {
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

function isRegionName(value: unknown): boolean {
  return typeof value === 'string' && REGION_NAME.test(value);
}
