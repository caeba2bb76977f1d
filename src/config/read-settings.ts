import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { messageOf } from '../base/errors.ts';
import { ownPortOf } from './addresses.ts';
import type { Parsed } from './kinds.ts';
import { nearestOf } from './nearest.ts';
import { readSurroundings } from './region.ts';
import {
  DEFAULT_HOST,
  DEFAULT_REGION,
  envNameOf,
  flagOf,
  SETTING_KEYS,
  SETTINGS,
  type Basis,
  type Setting,
  type SettingKey,
  type Settings,
} from './settings.ts';

/** Where settings come from. */
export interface SettingsSource {
  readonly env: { readonly [name: string]: string | undefined };
  /** By setting; `true` for a flag without a value. A flag beats the environment. */
  readonly flags?: { readonly [K in SettingKey]?: string | true };
  readonly cores: number;
}

/** All of the settings, or all of their mistakes. */
export type SettingsResult = { readonly settings: Settings } | { readonly mistakes: readonly string[] };

const PREFIX = 'OMNIVOICE_';
/** The name the signing secret has on platforms that host other voice runtimes too. */
const SIGNING_SECRET_ALIAS = 'VOICE_RUNTIME_SIGNING_SECRET';
// Variables with our prefix that are no settings: how much the test suite does.
const NOT_SETTINGS = ['OMNIVOICE_TEST_LONG', 'OMNIVOICE_TEST_POSTGRES_FOLDER'];

type Drafts = { -readonly [K in SettingKey]?: Settings[K] };

/** Reads every setting from flags and environment, and names every mistake there is. */
export function readSettings(source: SettingsSource): SettingsResult {
  const mistakes = unknownVariables(source.env);
  const given: Drafts = {};
  for (const key of SETTING_KEYS) {
    const parsed = readOne(key, source);
    if (parsed === undefined) continue;
    if ('mistake' in parsed) mistakes.push(parsed.mistake);
    else given[key] = parsed.value as never;
  }
  const basis = basisOf(given, source, mistakes);
  const settings = withFallbacks(given, basis);
  mistakes.push(...portMistakes(settings), ...tlsMistakes(settings), ...clusterMistakes(settings));
  return mistakes.length > 0 ? { mistakes } : { settings };
}

/** The variables that make a child read these very settings. */
export function settingsToEnv(settings: Settings): { [name: string]: string } {
  const env: { [name: string]: string } = {};
  for (const key of SETTING_KEYS) {
    const row: Setting<never> = SETTINGS[key] as Setting<never>;
    const text = row.kind.format(settings[key] as never);
    if (text !== '') env[envNameOf(key)] = text;
  }
  return env;
}

/** An environment without anything of ours in it, to which `settingsToEnv` can be added. */
export function withoutSettings(env: SettingsSource['env']): { [name: string]: string } {
  const others = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !entry[0].startsWith(PREFIX) && entry[0] !== SIGNING_SECRET_ALIAS,
  );
  return Object.fromEntries(others);
}

function unknownVariables(env: SettingsSource['env']): string[] {
  const known = SETTING_KEYS.map(envNameOf);
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name) && !NOT_SETTINGS.includes(name))
    .map((name) => {
      const near = nearestOf(name, known);
      return `${name} is not a setting${near === undefined ? '' : `; did you mean ${near}?`}`;
    });
}

function readOne(key: SettingKey, source: SettingsSource): Parsed<unknown> | undefined {
  const flag = source.flags?.[key];
  if (flag === true) return { mistake: `${flagOf(key)} has no value` };
  if (flag !== undefined) return parseAs(key, flagOf(key), flag);
  const name = envNameOf(key);
  const text = source.env[name];
  if (key === 'signingSecret') return readSigningSecret(text, source.env[SIGNING_SECRET_ALIAS]);
  return isGiven(text) ? parseAs(key, name, text) : undefined;
}

function readSigningSecret(own: string | undefined, alias: string | undefined): Parsed<unknown> | undefined {
  const name = envNameOf('signingSecret');
  if (isGiven(own) && isGiven(alias) && own !== alias) {
    return { mistake: `${name} and ${SIGNING_SECRET_ALIAS} differ: set one of them` };
  }
  if (isGiven(own)) return parseAs('signingSecret', name, own);
  return isGiven(alias) ? parseAs('signingSecret', SIGNING_SECRET_ALIAS, alias) : undefined;
}

// Compose files and charts write a setting that is not set as an empty text.
function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

function parseAs(key: SettingKey, name: string, text: string): Parsed<unknown> {
  const row = SETTINGS[key];
  const parsed: Parsed<unknown> = row.kind.parse(text);
  if ('value' in parsed) return parsed;
  const shown = row.isSecret ? '' : ` "${text}"`;
  return { mistake: `${name}${shown} ${parsed.mistake}` };
}

function basisOf(given: Drafts, source: SettingsSource, mistakes: string[]): Basis {
  const name = given.region ?? DEFAULT_REGION;
  const read = readSurroundings(name, given.regionsDir);
  const host = given.host ?? DEFAULT_HOST;
  if ('home' in read) return { cores: source.cores, host, region: read.home };
  mistakes.push(...read.mistakes.map((mistake) => `${envNameOf('region')} ${mistake}`));
  return { cores: source.cores, host, region: undefined };
}

function withFallbacks(given: Drafts, basis: Basis): Settings {
  const settings: Drafts = {};
  for (const key of SETTING_KEYS) {
    const { fallback }: Setting<unknown> = SETTINGS[key] as Setting<unknown>;
    const value = given[key] ?? (typeof fallback === 'function' ? fallback(basis) : fallback);
    settings[key] = value as never;
  }
  // Every key of the table is in it, each from its own row.
  return settings as Settings;
}

function portMistakes({ port, mediaPort, mediaNodes }: Settings): string[] {
  if (mediaPort === 0) return [];
  const last = ownPortOf(mediaPort, mediaNodes - 1);
  if (last > 65_535) {
    return [
      `${envNameOf('mediaPort')} ${mediaPort} leaves no room below 65536 for ${mediaNodes} nodes' own ports`,
    ];
  }
  if (port < mediaPort || port > last) return [];
  return [`${envNameOf('port')} ${port} is one of the media ports, ${mediaPort} to ${last}`];
}

function clusterMistakes(settings: Settings): string[] {
  if (settings.redisUrl === undefined) return [];
  const needed = ['peerUrl', 'peerSecret', 'signingSecret', 'encryptionKeys'] as const;
  const missing = needed.filter((key) => settings[key] === undefined || settings[key].length === 0);
  return missing.map((key) => `${envNameOf(key)} is missing: ${envNameOf('redisUrl')} makes a cluster`);
}

function tlsMistakes({ tlsCert, tlsKey }: Settings): string[] {
  const [cert, key] = [envNameOf('tlsCert'), envNameOf('tlsKey')];
  if (tlsCert === undefined && tlsKey === undefined) return [];
  if (tlsCert === undefined) return [`${cert} is missing: ${key} alone cannot serve TLS`];
  if (tlsKey === undefined) return [`${key} is missing: ${cert} alone cannot serve TLS`];
  try {
    createSecureContext({ cert: readFileSync(tlsCert), key: readFileSync(tlsKey) });
    return [];
  } catch (error) {
    return [`${cert} and ${key} are no certificate with its key: ${messageOf(error)}`];
  }
}
