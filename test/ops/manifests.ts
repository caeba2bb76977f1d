import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings } from '../../src/config/read-settings.ts';
import type { Settings } from '../../src/config/settings.ts';
import { ROOT } from '../pages.ts';

export const OPS = join(ROOT, 'ops');

/** Every manifest, from `ops/`. */
export const MANIFESTS: readonly string[] = readdirSync(OPS, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.json'))
  .sort();

/** What an operator brings. */
export const SECRETS: { readonly [name: string]: string } = {
  OMNIVOICE_DATABASE_URL: 'postgres://omnivoice:secret@db/omnivoice',
  OMNIVOICE_REDIS_URL: 'redis://redis:6379',
  OMNIVOICE_PEER_SECRET: 'p'.repeat(32),
  OMNIVOICE_SIGNING_SECRET: 's'.repeat(32),
  OMNIVOICE_ENCRYPTION_KEYS: `one:${Buffer.alloc(32, 1).toString('base64')}`,
  OMNIVOICE_API_KEY: `omf_live_${'a'.repeat(24)}`,
};

export interface Named {
  readonly name: string;
}

export function readManifest(path: string): unknown {
  return JSON.parse(readFileSync(join(OPS, path), 'utf8'));
}

/** Settings as the house reads them from these variables; throws with all mistakes. */
export function settingsOf(env: { readonly [name: string]: string }): Settings {
  const result = readSettings({ env, cores: 4 });
  if ('mistakes' in result) throw new Error(result.mistakes.join('\n'));
  return result.settings;
}

/** Keys a thing has beside those it may have: a slip that its reader would pass over in silence, or refuse. */
export function strangersIn(thing: object, known: readonly string[]): readonly string[] {
  return Object.keys(thing).filter((key) => !known.includes(key));
}

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: { readonly severity: string };
  readonly annotations?: { readonly summary: string; readonly runbook_url: string };
}

/** The rules of one file of Prometheus', group by group. */
export function rulesIn(path: string): readonly Rule[] {
  const { groups } = readManifest(path) as { groups: readonly { rules: readonly Rule[] }[] };
  return groups.flatMap((group) => group.rules);
}

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}

export const ALERTS = rulesIn('prometheus/alerts.json') as readonly Alert[];
export const RECORDS = rulesIn('prometheus/records.json') as readonly { record: string; expr: string }[];
