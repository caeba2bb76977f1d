import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings, settingsToEnv, withoutSettings } from '../../src/config/read-settings.ts';
import type { Settings } from '../../src/config/settings.ts';

const SECRET = 'a-signing-secret-of-more-than-32-bytes';
const KEY = Buffer.alloc(32, 7).toString('base64');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'omnivoice-settings-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function settingsOf(env: Record<string, string>, flags: Record<string, string | true> = {}): Settings {
  const read = readSettings({ env, flags, cores: 4 });
  if ('mistakes' in read) throw new Error(read.mistakes.join('\n'));
  return read.settings;
}

function mistakesOf(
  env: Record<string, string>,
  flags: Record<string, string | true> = {},
): readonly string[] {
  const read = readSettings({ env, flags, cores: 4 });
  return 'mistakes' in read ? read.mistakes : [];
}

describe('settings', () => {
  it('have the defaults of the contract where nothing is set', () => {
    const settings = settingsOf({});
    expect(settings).toMatchObject({ host: '127.0.0.1', port: 8080, mediaPort: 8081, mediaNodes: 3 });
    expect(settings).toMatchObject({
      region: 'local',
      nodeCapLegs: 800,
      resumeWindowMs: 30_000,
      logLevel: 'info',
    });
    expect(settings).toMatchObject({ watchdogMs: 2000, drainDeadlineMs: 120_000, vadLevelMinDbfs: -50 });
    expect(settings).toMatchObject({ callDurationMaxMs: 14_400_000, spoolBytesMax: 268_435_456 });
    expect(settings.dataDir).toBe(join(process.cwd(), 'data'));
    expect(settings.publicUrl).toBeUndefined();
  });

  it('run one media node where there is one core', () => {
    const read = readSettings({ env: {}, cores: 1 });
    expect('settings' in read && read.settings.mediaNodes).toBe(1);
  });

  it('come from variables, and flags beat them', () => {
    const env = { OMNIVOICE_PORT: '9000', OMNIVOICE_VAD_LEVEL_MIN_DBFS: '-42.5' };
    expect(settingsOf(env)).toMatchObject({ port: 9000, vadLevelMinDbfs: -42.5 });
    expect(settingsOf(env, { port: '9500' }).port).toBe(9500);
  });

  it('are unset where a variable is empty', () => {
    expect(settingsOf({ OMNIVOICE_PORT: '', OMNIVOICE_API_KEY: '' })).toMatchObject({ port: 8080 });
  });

  it('say what a cluster needs beside its Redis', () => {
    const env = { OMNIVOICE_REDIS_URL: 'redis://127.0.0.1', OMNIVOICE_PEER_URL: 'tls://127.0.0.1:8090' };
    const missing = ['PEER_SECRET', 'SIGNING_SECRET', 'ENCRYPTION_KEYS'];
    expect(mistakesOf(env)).toEqual(
      missing.map((name) => `OMNIVOICE_${name} is missing: OMNIVOICE_REDIS_URL makes a cluster`),
    );
  });

  it('name all mistakes at once, each in a sentence', () => {
    const env = {
      OMNIVOICE_PROT: '1',
      OMNIVOICE_SHOE_SIZE: '44',
      OMNIVOICE_MEDIA_PORT: 'high',
      OMNIVOICE_TRUSTED_PROXIES: '10.0.0.0/8,10.0.0.0/99',
      OMNIVOICE_WATCHDOG_MS: '1',
      OMNIVOICE_LOG_LEVEL: 'loud',
      OMNIVOICE_PUBLIC_URL: 'ftp://example.com',
    };
    expect(mistakesOf(env, { jitterTargetMs: '201', host: true })).toEqual([
      'OMNIVOICE_PROT is not a setting; did you mean OMNIVOICE_PORT?',
      'OMNIVOICE_SHOE_SIZE is not a setting',
      '--host has no value',
      'OMNIVOICE_MEDIA_PORT "high" is not a whole number in the range 0 to 65535',
      'OMNIVOICE_PUBLIC_URL "ftp://example.com" is not a URL that begins with http:// or https://, ' +
        'without query and fragment',
      'OMNIVOICE_TRUSTED_PROXIES "10.0.0.0/8,10.0.0.0/99" has "10.0.0.0/99", which is not an address or CIDR',
      'OMNIVOICE_LOG_LEVEL "loud" is none of trace, debug, info, warn, error, fatal, silent',
      'OMNIVOICE_WATCHDOG_MS "1" is not a whole number in the range 0, or 500 to 60000',
      '--jitter-target-ms "201" is not a whole number in the range 0 to 200',
    ]);
  });

  it.each(['1.5', '1e3', '0x10', ' 8080', '-1', '65536', 'NaN'])('refuse the port "%s"', (port) => {
    expect(mistakesOf({ OMNIVOICE_PORT: port })).toHaveLength(1);
  });

  it('never show a secret, not even a malformed one', () => {
    const env = {
      OMNIVOICE_API_KEY: 'omf_live_short',
      OMNIVOICE_SIGNING_SECRET: 'tooshort',
      OMNIVOICE_ENCRYPTION_KEYS: 'k1:notlongenough',
    };
    const mistakes = mistakesOf(env);
    expect(mistakes).toHaveLength(3);
    for (const value of ['short', 'tooshort', 'notlongenough']) {
      expect(mistakes.join('\n').replaceAll('shorter', '')).not.toContain(value);
    }
  });

  it('refuse ports that collide with the nodes’ own', () => {
    expect(mistakesOf({ OMNIVOICE_PORT: '8083', OMNIVOICE_MEDIA_NODES: '3' })).toEqual([
      'OMNIVOICE_PORT 8083 is one of the media ports, 8081 to 8084',
    ]);
    expect(mistakesOf({ OMNIVOICE_MEDIA_PORT: '65534' })[0]).toContain('leaves no room below 65536');
    expect(mistakesOf({ OMNIVOICE_PORT: '0', OMNIVOICE_MEDIA_PORT: '0' })).toEqual([]);
  });

  it('allow hooks to reach loopback only while the house itself listens there', () => {
    expect(settingsOf({}).egressAllow).toEqual(['127.0.0.0/8', '::1/128', 'localhost']);
    expect(settingsOf({ OMNIVOICE_HOST: '0.0.0.0' }).egressAllow).toEqual([]);
    expect(settingsOf({ OMNIVOICE_EGRESS_ALLOW: 'none' }).egressAllow).toEqual([]);
    expect(settingsOf({ OMNIVOICE_EGRESS_ALLOW: '10.1.0.0/16, hooks.internal' }).egressAllow).toEqual([
      '10.1.0.0/16',
      'hooks.internal',
    ]);
  });

  it('read the signing secret by its other name too, unless both are set and differ', () => {
    const text = (settings: Settings): string => Buffer.from(settings.signingSecret[0]!).toString();
    expect(text(settingsOf({ VOICE_RUNTIME_SIGNING_SECRET: SECRET }))).toBe(SECRET);
    expect(text(settingsOf({ OMNIVOICE_SIGNING_SECRET: `${SECRET}-new,${SECRET}` }))).toBe(`${SECRET}-new`);
    const both = { OMNIVOICE_SIGNING_SECRET: `${SECRET}-new`, VOICE_RUNTIME_SIGNING_SECRET: SECRET };
    expect(mistakesOf(both)).toEqual([
      'OMNIVOICE_SIGNING_SECRET and VOICE_RUNTIME_SIGNING_SECRET differ: set one of them',
    ]);
  });

  it('need certificate and key together, and that they fit', () => {
    const pem = (name: string): string => join(import.meta.dirname, `certificates/${name}.pem`);
    const [cert, key, otherKey] = [pem('cert'), pem('key'), pem('other-key')];
    expect(settingsOf({ OMNIVOICE_TLS_CERT: cert, OMNIVOICE_TLS_KEY: key }).tlsCert).toBe(cert);
    expect(mistakesOf({ OMNIVOICE_TLS_CERT: cert })).toEqual([
      'OMNIVOICE_TLS_KEY is missing: OMNIVOICE_TLS_CERT alone cannot serve TLS',
    ]);
    expect(mistakesOf({ OMNIVOICE_TLS_CERT: cert, OMNIVOICE_TLS_KEY: otherKey })[0]).toContain(
      'are no certificate with its key',
    );
    expect(mistakesOf({ OMNIVOICE_TLS_CERT: '/nowhere.pem', OMNIVOICE_TLS_KEY: key })[0]).toBe(
      'OMNIVOICE_TLS_CERT "/nowhere.pem" is not a file that can be read',
    );
  });

  it('know only regions that have a file, and take its limits as defaults', () => {
    writeFileSync(
      join(folder, 'north.json'),
      JSON.stringify({ name: 'north', address: null, neighbours: [], limits: { node_cap_legs: 120 } }),
    );
    const env = { OMNIVOICE_REGION: 'north', OMNIVOICE_REGIONS_DIR: folder };
    expect(settingsOf(env).nodeCapLegs).toBe(120);
    expect(mistakesOf({ OMNIVOICE_REGION: 'atlantis' })[0]).toMatch(
      /^OMNIVOICE_REGION "atlantis" names no region/,
    );
  });

  it('survive the way to a child unchanged', () => {
    const settings = settingsOf({
      OMNIVOICE_SIGNING_SECRET: SECRET,
      OMNIVOICE_ENCRYPTION_KEYS: `k2:${KEY},k1:${KEY}`,
      OMNIVOICE_TRUSTED_PROXIES: '10.0.0.0/8,::1',
      OMNIVOICE_EGRESS_ALLOW: 'none',
      OMNIVOICE_MEDIA_URL: 'wss://n{node}.media.example.com/',
      OMNIVOICE_API_KEY: 'omf_live_0123456789abcdef',
    });
    expect(settingsOf(settingsToEnv(settings))).toEqual(settings);
    expect(settings.mediaUrl).toBe('wss://n{node}.media.example.com');
  });

  it('leave the rest of the environment alone', () => {
    const env = { PATH: '/bin', OMNIVOICE_PORT: '1', VOICE_RUNTIME_SIGNING_SECRET: SECRET, EMPTY: undefined };
    expect(withoutSettings(env)).toEqual({ PATH: '/bin' });
  });
});
