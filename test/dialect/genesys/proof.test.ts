import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { genesysDialect } from '../../../src/dialect/genesys/dialect.ts';
import type { ProofVerdict, StreamProof, UpgradeFacts } from '../../../src/dialect/proof.ts';

const PUBLISHED_SECRET = 'TXlTdXBlclNlY3JldEtleVRlbGxOby0xITJAMyM0JDU=';
const COMPONENT_NAMES = [
  '@request-target',
  '@authority',
  'audiohook-organization-id',
  'audiohook-session-id',
  'audiohook-correlation-id',
  'x-api-key',
];
const COMPONENTS = `(${COMPONENT_NAMES.map((name) => `"${name}"`).join(' ')})`;
const TIMES = ';alg="hmac-sha256";created=1641013200;expires=3282026430';
const HEARD_PARAMETERS = ';keyid="testkey123456";nonce="jEsijUjzfTqNYZZwbb61yl4y"';
const HEARD_TIMES = ';alg="hmac-sha256";created=1795218372;expires=1795218402';
const API_KEY = 'SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh';

/** The vector that the reference implementation publishes with its verifier. */
const PUBLISHED: UpgradeFacts = {
  method: 'GET',
  headers: {
    host: 'audiohook.example.com',
    'audiohook-organization-id': 'd7934305-0972-4844-938e-9060eef73d05',
    'audiohook-session-id': '30b0e395-84d3-4570-ac13-9a62d8f514c0',
    'audiohook-correlation-id': 'e160e428-53e2-487c-977d-96989bf5c99d',
    'x-api-key': API_KEY,
    'signature-input': `sig1=${COMPONENTS};keyid="${API_KEY}";nonce="VGhpc0lzQVVuaXF1ZU5vbmNl"${TIMES}`,
    signature: 'sig1=:NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=:',
  },
  target: '/api/v1/voicebiometrics/ws',
  urls: [],
};
const PUBLISHED_AT_MS = 1_641_013_200_000;

/** A request of the reference implementation's sample client, as it was heard. */
const HEARD: UpgradeFacts = {
  method: 'GET',
  headers: {
    host: '127.0.0.1:9301',
    'audiohook-organization-id': 'b96ef2e9-83e1-48f4-acdf-ed886559ace2',
    'audiohook-session-id': '46cfefa1-effe-48f4-99ae-809a40a18e1e',
    'audiohook-correlation-id': 'e7652236-81fc-47c0-b834-10f86fd6f1ce',
    'x-api-key': 'testkey123456',
    'signature-input': `sig1=${COMPONENTS}${HEARD_PARAMETERS}${HEARD_TIMES}`,
    signature: 'sig1=:IC/TmTiYa6HCATjQyRp0L3f2xbw3JUMyeMRTwxSf89I=:',
  },
  target: '/audiohook',
  urls: [],
};
const HEARD_SECRET = Buffer.from('TheSuperSecretKey12345678901234').toString('base64');
const HEARD_AT_MS = 1_795_218_372_000;

function verify(
  upgrade: UpgradeFacts,
  proof: StreamProof = { signature_secret: PUBLISHED_SECRET },
  nowUnixMs = PUBLISHED_AT_MS + 1_000,
): ProofVerdict {
  return genesysDialect.verify!(upgrade, proof, nowUnixMs);
}

function withHeaders(headers: UpgradeFacts['headers'], of = PUBLISHED): UpgradeFacts {
  return { ...of, headers: { ...of.headers, ...headers } };
}

/** Signs by a hand of its own what a client would sign; each part may be another than it should be. */
function signed(more: {
  readonly components?: readonly string[];
  readonly parameters?: string;
  readonly authority?: string;
}): UpgradeFacts {
  const names = more.components ?? COMPONENT_NAMES;
  const parameters =
    more.parameters ?? `;keyid="${API_KEY}";nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";created=1641013200`;
  const params = `(${names.map((name) => `"${name}"`).join(' ')})${parameters}`;
  const values: Record<string, string | undefined> = {
    ...PUBLISHED.headers,
    '@request-target': PUBLISHED.target,
    '@authority': more.authority ?? 'audiohook.example.com',
  };
  const lines = names.map((name) => `"${name}": ${values[name]}`);
  const base = [...lines, `"@signature-params": ${params}`].join('\n');
  const key = Buffer.from(PUBLISHED_SECRET, 'base64');
  const signature = createHmac('sha256', key).update(base).digest('base64');
  return withHeaders({ 'signature-input': `sig1=${params}`, signature: `sig1=:${signature}:` });
}

describe('a signature of Genesys', () => {
  it('holds in the two vectors there are', () => {
    expect(verify(PUBLISHED).holds).toBe(true);
    expect(verify(HEARD, { signature_secret: HEARD_SECRET }, HEARD_AT_MS + 50).holds).toBe(true);
    expect(verify(signed({})).holds).toBe(true);
  });

  it('names its nonce, so that the door can refuse a replay', () => {
    const verdict = verify(PUBLISHED);
    expect(verdict).toMatchObject({ nonce: 'genesys VGhpc0lzQVVuaXF1ZU5vbmNl' });
    // As long as it would be good in itself.
    const { expiresAtUnixMs } = verdict as { readonly expiresAtUnixMs: number };
    expect(verify(PUBLISHED, undefined, expiresAtUnixMs).holds).toBe(false);
    expect(expiresAtUnixMs - PUBLISHED_AT_MS).toBeLessThan(60_000);
  });

  it.each([
    ['another secret', PUBLISHED, { signature_secret: HEARD_SECRET }],
    ['an empty secret', PUBLISHED, { signature_secret: '' }],
    ['another path', { ...PUBLISHED, target: '/api/v1/voicebiometrics/wss' }, undefined],
    ['a query that was not signed', { ...PUBLISHED, target: `${PUBLISHED.target}?a=1` }, undefined],
    ['another host', withHeaders({ host: 'audiohook.example.org' }), undefined],
    [
      'another session',
      withHeaders({ 'audiohook-session-id': '30b0e395-84d3-4570-ac13-000000000000' }),
      undefined,
    ],
    ['another key', withHeaders({ 'x-api-key': 'other' }), undefined],
    ['no signature', withHeaders({ signature: undefined }), undefined],
    ['no signature input', withHeaders({ 'signature-input': undefined }), undefined],
    ['neither', withHeaders({ signature: undefined, 'signature-input': undefined }), undefined],
    [
      'a signature by another label',
      withHeaders({ signature: `sig2=${PUBLISHED.headers['signature']?.slice(5)}` }),
      undefined,
    ],
    [
      'a bare signature',
      withHeaders({ signature: 'NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=' }),
      undefined,
    ],
    [
      'a flipped bit',
      withHeaders({ signature: 'sig1=:OZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=:' }),
      undefined,
    ],
  ] as const)('does not hold with %s', (_, upgrade, proof) => {
    expect(verify(upgrade, proof)).toEqual({ holds: false });
  });

  it.each(COMPONENT_NAMES)('does not hold where %s is not signed', (left) => {
    const components = COMPONENT_NAMES;
    expect(verify(signed({ components })).holds).toBe(true);
    expect(verify(signed({ components: components.filter((name) => name !== left) })).holds).toBe(false);
  });

  it.each([
    ['no nonce', `;keyid="${API_KEY}";created=1641013200`],
    ['a short nonce', `;keyid="${API_KEY}";nonce="VGhpc0lzQVVuaXF1ZU5vb";created=1641013200`],
    ['the key of somebody else', ';keyid="other";nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";created=1641013200'],
    ['no time', `;keyid="${API_KEY}";nonce="VGhpc0lzQVVuaXF1ZU5vbmNl"`],
    [
      'another algorithm',
      `;keyid="${API_KEY}";nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";alg="none";created=1641013200`,
    ],
    [
      'a parameter twice',
      `;keyid="${API_KEY}";nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";created=1641013200;created=1641013200`,
    ],
    [
      'a parameter nobody knows',
      `;keyid="${API_KEY}";nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";created=1641013200;tag="x"`,
    ],
  ])('does not hold with %s, however well it is signed', (_, parameters) => {
    expect(verify(signed({ parameters })).holds).toBe(false);
  });

  it('is good from 3 s before it was made to 13 s after, and no longer than it says itself', () => {
    const heldAt = (ageMs: number, expiresS: number): boolean => {
      const times = `;created=1641013200;expires=${expiresS}`;
      const parameters = `;keyid="${API_KEY}";nonce="VGhpc0lzQVVuaXF1ZU5vbmNl"${times}`;
      return verify(signed({ parameters }), undefined, PUBLISHED_AT_MS + ageMs).holds;
    };
    expect([-4_000, -3_000, 0, 10_000, 13_000, 14_000].map((ageMs) => heldAt(ageMs, 1_641_099_999))).toEqual([
      false,
      true,
      true,
      true,
      true,
      false,
    ]);
    expect([4_000, 8_000, 9_000].map((ageMs) => heldAt(ageMs, 1_641_013_205))).toEqual([true, true, false]);
  });

  it('holds behind a proxy that has its own host and path, by the URL the world dials', () => {
    const behind = {
      ...PUBLISHED,
      headers: { ...PUBLISHED.headers, host: '10.0.0.7:8081' },
      target: '/media/genesys/x',
      urls: [
        'ws://10.0.0.7:8081/media/genesys/x',
        'wss://audiohook.example.com:443/api/v1/voicebiometrics/ws',
      ],
    };
    expect(verify(behind).holds).toBe(true);
    expect(verify({ ...behind, urls: behind.urls.slice(0, 1) }).holds).toBe(false);
  });
});

describe('an API key of Genesys', () => {
  it('is enough where nothing else is demanded', () => {
    expect(verify(PUBLISHED, { api_key: API_KEY })).toEqual({ holds: true });
    for (const api_key of ['', 'other', API_KEY.slice(1)]) {
      expect(verify(PUBLISHED, { api_key })).toEqual({ holds: false });
    }
    expect(verify(withHeaders({ 'x-api-key': undefined }), { api_key: API_KEY }).holds).toBe(false);
  });

  it('does not stand in for a signature, nor a signature for it', () => {
    const both = { api_key: API_KEY, signature_secret: PUBLISHED_SECRET };
    expect(verify(PUBLISHED, both).holds).toBe(true);
    expect(verify(withHeaders({ signature: undefined }), both).holds).toBe(false);
    expect(verify(PUBLISHED, { ...both, api_key: 'other' }).holds).toBe(false);
  });
});
