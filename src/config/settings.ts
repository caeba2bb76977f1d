import { resolve } from 'node:path';
import { MIB } from '../base/units.ts';
import { isLoopback } from './addresses.ts';
import { costRates } from './cost-rates.ts';
import * as kinds from './kinds.ts';
import type { Kind } from './kinds.ts';
import { NODE_CAP_LEGS_MAX, REGION_NAME } from './region-fields.ts';
import { REGIONS_DIR, type Region } from './region.ts';
import * as secrets from './secrets.ts';

/** What defaults may depend on. */
export interface Basis {
  readonly cores: number;
  readonly host: string;
  readonly region: Region | undefined;
}

/** One row of the table below: from it come parsing, `--help` and the documentation. */
export interface Setting<T> {
  readonly kind: Kind<T>;
  readonly meaning: string;
  readonly fallback: T | ((basis: Basis) => T);
  /** How the default reads, where its value does not say it. */
  readonly fallbackText?: string;
  /** Never shown, not even in a mistake. */
  readonly isSecret?: true;
}

const HOUR_MS = 3_600_000;
const port = kinds.whole({ min: 0, max: 65_535 });
const ms = (min: number, max: number): Kind<number> => kinds.whole({ min, max, unit: 'ms' });
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_REGION = 'local';
const LOOPBACK = ['127.0.0.0/8', '::1/128', 'localhost'];

/** Every setting. From its key in the code, `OMNIVOICE_MEDIA_PORT` and `--media-port` follow. */
export const SETTINGS = {
  host: setting(kinds.host, DEFAULT_HOST, 'address both public ports listen on'),
  port: setting(port, 8080, 'REST, event streams and pages; 0 takes a free one'),
  mediaPort: setting(port, 8081, 'media WebSockets, shared by all nodes; node n has its own at this + 1 + n'),
  audiosocketPort: setting(port, 0, 'plain TCP for Asterisk AudioSocket, shared by all nodes; 0 is none'),
  mediaNodes: setting(
    kinds.whole({ min: 1, max: 64 }),
    ({ cores }) => Math.max(1, cores - 1),
    'media processes on this host',
    { fallbackText: 'cores − 1, at least 1' },
  ),
  dataDir: setting(
    kinds.folder,
    () => resolve('data'),
    'embedded store and spools; mode 0700, locked by one serve',
    { fallbackText: './data' },
  ),
  databaseUrl: setting<string | undefined>(
    optional(kinds.text(/^postgres(?:ql)?:\/\/\S+$/, 'postgres://user:password@host/database', 'url')),
    undefined,
    'PostgreSQL that hosts share, in place of the embedded store',
    { fallbackText: 'the embedded store', isSecret: true },
  ),
  redisUrl: setting<string | undefined>(
    optional(
      kinds.text(
        /^(?:redis|rediss|redis\+sentinel):\/\/\S+$/,
        'redis://, rediss:// or redis+sentinel://host:port,host:port/name',
        'url',
      ),
    ),
    undefined,
    'Redis of this region: who is there and who owns which call; needs PEER_URL and PEER_SECRET',
    { fallbackText: 'none: one host by itself', isSecret: true },
  ),
  peerUrl: setting(
    kinds.url(['tls']),
    undefined,
    'where other hosts reach the nodes of this one: node n listens on its port + n',
    { fallbackText: 'none' },
  ),
  peerSecret: setting(secrets.signingSecrets, [], 'proves the nodes of a cluster to each other', {
    fallbackText: 'none',
    isSecret: true,
  }),
  acceptWhenIsolated: setting(
    kinds.choice(['true', 'false']),
    'true',
    'whether new calls are taken while the registry does not answer',
  ),
  region: setting(
    kinds.text(REGION_NAME, 'the name of a file in regions/', 'name'),
    DEFAULT_REGION,
    'where this is',
  ),
  regionsDir: setting(kinds.folder, REGIONS_DIR, 'where the files of the regions are', {
    fallbackText: 'regions/ of the checkout',
  }),
  publicUrl: setting(kinds.url(['http', 'https']), undefined, 'what links are built from', {
    fallbackText: 'from host and port',
  }),
  mediaUrl: setting(
    kinds.url(['ws', 'wss'], '{node}'),
    ({ region }) => region?.mediaUrl ?? undefined,
    'what media and join URLs are built from; {node} names a node where the network can address one',
    { fallbackText: 'of the region, else from host and media port' },
  ),
  apiKey: setting<string | undefined>(
    optional(
      kinds.text(/^omf_live_[A-Za-z0-9_-]{16,}$/, 'omf_live_ and at least 16 letters or digits', 'key'),
    ),
    undefined,
    'bootstrap key with full scope',
    { fallbackText: 'made at the first start and shown once', isSecret: true },
  ),
  tlsCert: setting(kinds.pemFile, undefined, 'certificate of both public ports, read again on SIGHUP', {
    fallbackText: 'plain',
  }),
  tlsKey: setting(kinds.pemFile, undefined, 'its private key', { fallbackText: 'plain' }),
  trustedProxies: setting(
    kinds.list('an address or CIDR', kinds.isCidr),
    [],
    'proxies whose X-Forwarded-For, -Proto and -Host are believed',
  ),
  resumeWindowMs: setting(
    ms(0, 600_000),
    30_000,
    'how long a leg that can come back is waited for; 0 ends its call at once',
  ),
  nodeCapLegs: setting(
    kinds.whole({ min: 1, max: NODE_CAP_LEGS_MAX }),
    ({ region }) => region?.limits.nodeCapLegs ?? 800,
    'legs per media node, unless its region limits them',
    { fallbackText: '800' },
  ),
  loopDelayMaxMs: setting(
    kinds.whole({ min: 5, max: 10_000, unit: 'ms', orZero: true }),
    30,
    'event loop delay (p99) of a node beyond which its cap is lowered; 0 never',
  ),
  loopBusyMaxRatio: setting(
    kinds.decimal({ min: 0, max: 1, unit: 'ratio' }),
    0.8,
    'share of the time a node’s event loop works beyond which its cap is lowered; 0 never',
  ),
  nodeMemoryMaxBytes: setting<number | undefined>(
    optional(kinds.whole({ min: 128 * MIB, max: 1024 * 1024 * MIB, unit: 'bytes', orZero: true })),
    undefined,
    'resident memory of a node beyond which it takes nobody new; 0 never',
    { fallbackText: '80 % of the machine’s, shared by its media nodes; at least 512 MiB' },
  ),
  signingSecret: setting(
    secrets.signingSecrets,
    [],
    'signs session tokens; also VOICE_RUNTIME_SIGNING_SECRET',
    {
      fallbackText: 'made in the data dir',
      isSecret: true,
    },
  ),
  encryptionKeys: setting(secrets.encryptionKeys, [], 'key ring of secrets at rest', {
    fallbackText: 'made in the data dir',
    isSecret: true,
  }),
  egressAllow: setting(
    kinds.list('an address, CIDR or host', kinds.isCidrOrHost),
    ({ host }) => (isLoopback(host) ? LOOPBACK : []),
    'private places that hooks may reach all the same',
    { fallbackText: 'loopback while HOST is loopback, else none' },
  ),
  logLevel: setting(kinds.choice(LOG_LEVELS), 'info', 'the least that is logged'),
  watchdogMs: setting(
    kinds.whole({ min: 500, max: 60_000, unit: 'ms', orZero: true }),
    2000,
    'a process silent for this long is replaced; 0 never',
  ),
  drainMoveProviderMs: setting(
    ms(0, 24 * HOUR_MS),
    600_000,
    'how long after a drain began providers are asked to stream elsewhere; half its deadline at most',
  ),
  drainDeadlineMs: setting(ms(0, 24 * HOUR_MS), 120_000, 'how long calls may go on after the first SIGTERM'),
  jitterMode: setting(
    kinds.choice(['adaptive', 'fixed']),
    'adaptive',
    'whether audio is held as long as the wire makes it necessary, or always for JITTER_TARGET_MS',
  ),
  jitterTargetMs: setting(
    ms(0, 200),
    0,
    'how long audio is held to put it in order, at least; 0 forwards at once until a wire loses packets',
  ),
  jitterMaxMs: setting(ms(0, 200), 200, 'how long an adaptive buffer may hold audio; 0 never holds any'),
  hearDtmf: setting(
    kinds.choice(['auto', 'on', 'off']),
    'auto',
    'whether keys are heard in the sound of callers; auto: where their protocol does not tell them',
  ),
  hearTones: setting(
    kinds.choice(['auto', 'on', 'off']),
    'auto',
    'whether beeps, faxes, ringback and busy are heard; auto: on outbound calls',
  ),
  hearAnswer: setting(
    kinds.choice(['on', 'off']),
    'on',
    'whether outbound calls are told apart: human or machine (amd_result)',
  ),
  vadDetector: setting(
    kinds.choice(['own', 'fvad', 'neural']),
    'own',
    'who hears voices: our detector, the WebRTC one, or the network in VAD_MODEL',
  ),
  vadModel: setting<string | undefined>(
    optional(kinds.text(/^\S.*\.onnx$/, 'the path of an .onnx file', 'path')),
    undefined,
    'an ONNX file shaped like Silero v5; needs the package onnxruntime-node',
    { fallbackText: 'none' },
  ),
  vadAggressiveness: setting(kinds.whole({ min: 0, max: 3 }), 2, 'how sure the detector must be of a voice'),
  vadStartMs: setting(ms(20, 1000), 40, 'voice for this long is voice_detected'),
  vadStopMs: setting(ms(20, 5000), 300, 'quiet for this long is voice_ended'),
  vadLevelMinDbfs: setting(
    kinds.decimal({ min: -100, max: 0, unit: 'dBFS' }),
    -50,
    'anything softer is quiet',
  ),
  bargeIn: setting(
    kinds.choice(['notify', 'pause', 'clear', 'ignore']),
    'clear',
    'what happens when a caller speaks over an agent whose own terms do not say',
  ),
  recordCalls: setting(
    kinds.choice(['off', 'all']),
    'off',
    'whether every call is recorded from its beginning; an agent can wish it, and a command start it',
  ),
  recordingFormat: setting(
    kinds.choice(['wav', 'wav_g711', 'wav_l16', 'ogg_opus']),
    'wav',
    'how recordings are written; wav is G.711 where the caller’s line is 8 kHz, else 16-bit samples',
  ),
  recordingsDir: setting<string | undefined>(
    optional(kinds.folder),
    undefined,
    'where recordings lie; a shared mount in a cluster',
    { fallbackText: 'recordings in the data dir' },
  ),
  recordingEncryption: setting(
    kinds.choice(['off', 'on']),
    'off',
    'whether recordings are sealed at rest with the newest of ENCRYPTION_KEYS',
  ),
  recordingBytesMax: setting(
    kinds.whole({ min: MIB, max: 4000 * MIB, unit: 'bytes' }),
    2048 * MIB,
    'a recording that grows beyond this breaks off; the call goes on',
  ),
  recordingRetentionDays: setting(
    kinds.whole({ min: 1, max: 3650, unit: 'days' }),
    90,
    'how long recordings are kept',
  ),
  costRates: setting(costRates, [], 'what a started minute of a call costs, by direction and agent'),
  costCurrency: setting(
    kinds.text(/^[A-Z]{3}$/, 'three capital letters of ISO 4217', 'code'),
    'EUR',
    'what COST_RATES are in',
  ),
  analyserUrl: setting(
    kinds.url(['http', 'https']),
    undefined,
    'who is asked for sentiment and summary of a call that has a transcript',
    { fallbackText: 'nobody: word list and extract' },
  ),
  analyserSecret: setting<string | undefined>(
    optional(
      kinds.text(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'whsec_ and 24 to 64 bytes in base64', 'secret'),
    ),
    undefined,
    'what requests to the analyser are signed with (Standard Webhooks)',
    { fallbackText: 'unsigned', isSecret: true },
  ),
  callDurationMaxMs: setting(ms(1000, 24 * HOUR_MS), 4 * HOUR_MS, 'the longest a call may be'),
  silenceTimeoutMs: setting(ms(0, HOUR_MS), 0, 'a call in which nobody speaks for this long ends; 0 never'),
  messagesPerSecond: setting(kinds.whole({ min: 1, max: 100_000 }), 100, 'messages a media socket may send'),
  spoolBytesMax: setting(
    kinds.whole({ min: MIB, max: 64 * 1024 * MIB, unit: 'bytes' }),
    256 * MIB,
    'events a node keeps for control; near it new calls are refused',
  ),
  diskFreeMinRatio: setting(
    kinds.decimal({ min: 0, max: 0.9, unit: 'ratio' }),
    0.05,
    'with less of the disk free new calls are refused; events are kept',
  ),
} as const;

export type SettingKey = keyof typeof SETTINGS;

/** Every value. `signingSecret` and `encryptionKeys` are empty until the data dir has filled them. */
export type Settings = {
  readonly [K in SettingKey]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never;
};

export const SETTING_KEYS = Object.keys(SETTINGS) as readonly SettingKey[];

/** `mediaPort` → `OMNIVOICE_MEDIA_PORT`. */
export function envNameOf(key: SettingKey): string {
  return `OMNIVOICE_${key.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
}

/** `mediaPort` → `--media-port`. */
export function flagOf(key: SettingKey): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function setting<T>(
  kind: Kind<T>,
  fallback: NoInfer<T | ((basis: Basis) => T)>,
  meaning: string,
  more: Pick<Setting<T>, 'fallbackText' | 'isSecret'> = {},
): Setting<T> {
  return { kind, fallback, meaning, ...more };
}

function optional<T>(kind: Kind<T>): Kind<T | undefined> {
  return { ...kind, format: (value) => (value === undefined ? '' : kind.format(value)) };
}
