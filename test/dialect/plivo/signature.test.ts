import plivo from 'plivo';
import { describe, expect, it } from 'vitest';
import { plivoDialect } from '../../../src/dialect/plivo/dialect.ts';
import { signPlivoUrl } from '../../../src/dialect/plivo/signature.ts';
import { PROOF_FAILED, type ProofVerdict } from '../../../src/dialect/proof.ts';

const TOKEN = 'MAPLIVOTOKEN0000000000000000000000000000';
const NONCE = '12345678901234567890';
const NOW_UNIX_MS = 1_780_000_000_000;
// Computed with the official `plivo` package 4.79.0, method GET: what was dialled, what is signed, signature.
const VECTORS = [
  [
    'https://media.example.com/plivo',
    'https://media.example.com/plivo',
    'hM2HhknDveil/7GGMRJ3vZt0hVSyPRrX2hNnf1SPomw=',
  ],
  [
    'https://media.example.com/plivo?b=2&a=1',
    'https://media.example.com/plivo?a=1&b=2',
    'L7a33iAj+ZUgkPfTK1ZwhxA+UDDRfSTZXuAbodESK0w=',
  ],
  [
    'wss://media.example.com/plivo',
    'wss://media.example.com/plivo',
    'ywN5H4LYpx2P+GRoMBpmktsIAZDaeedppYuWLzUZvU4=',
  ],
] as const;

function verdictOf(
  given: { signature?: string; nonce?: string; urls?: readonly string[] },
  token = TOKEN,
): ProofVerdict {
  const { signature, nonce = NONCE, urls = ['wss://media.example.com/plivo'] } = given;
  const headers = { 'x-plivo-signature-v3': signature, 'x-plivo-signature-v3-nonce': nonce };
  const upgrade = { method: 'GET', headers, target: '/plivo', urls };
  return plivoDialect.verify!(upgrade, { auth_token: token }, NOW_UNIX_MS);
}

describe('Plivo’s signature, version 3', () => {
  it.each(VECTORS)('of %s is made of %s and is %s', (_, signed, signature) => {
    expect(signPlivoUrl(signed, NONCE, TOKEN)).toBe(signature);
  });

  it.each(VECTORS)('of %s holds for the URL as it was dialled', (dialled, _, signature) => {
    expect(verdictOf({ signature, urls: [dialled] })).toMatchObject({ holds: true });
  });

  it('holds for https, wss, ws and http, with and without port and last slash', () => {
    const signed = ['https', 'wss', 'http', 'ws'].flatMap((scheme) =>
      ['', ['https', 'wss'].includes(scheme) ? ':443' : ':80'].flatMap((port) =>
        ['', '/'].map((slash) => `${scheme}://media.example.com${port}/plivo${slash}`),
      ),
    );
    for (const url of signed) {
      const signature = signPlivoUrl(url, NONCE, TOKEN);
      expect(verdictOf({ signature }), `signed as ${url}`).toMatchObject({ holds: true });
    }
  });

  it.each([
    'https://media.example.com/plivo',
    'https://media.example.com:8443/plivo/a/b',
    'http://localhost:8081/plivo?z=1&a=x%20y&a=b',
    'wss://media.example.com/plivo?tenant=%C3%A9&empty=',
    'wss://media.example.com/plivo?q=a%2Bb+c',
  ])('that the official package takes for %s is ours', (url) => {
    const upgrade = { signature: '', urls: [url] };
    for (const form of [url, `${url}&zz=9`, url.replace('plivo', 'other')]) {
      const [path, query] = form.split('?');
      const pairs = [...new URLSearchParams(query)].toSorted((a, b) =>
        a.join('\0') < b.join('\0') ? -1 : 1,
      );
      const signed = pairs.length === 0 ? path! : `${path}?${pairs.map((pair) => pair.join('=')).join('&')}`;
      const signature = signPlivoUrl(signed, NONCE, TOKEN);
      expect(plivo.validateV3Signature('GET', form, NONCE, TOKEN, signature)).toBe(true);
      const isTaken = verdictOf({ ...upgrade, signature }).holds;
      expect(isTaken, `${form} for ${url}`).toBe(form === url);
    }
  });

  it('holds where any of several, comma-separated, does', () => {
    const [, , signature] = VECTORS[2];
    for (const several of [`AAAA,${signature}`, `${signature},AAAA`, `AAAA, ${signature} ,BBBB`]) {
      expect(verdictOf({ signature: several }), `given ${several}`).toMatchObject({ holds: true });
    }
    expect(verdictOf({ signature: 'AAAA,BBBB' })).toBe(PROOF_FAILED);
    expect(verdictOf({ signature: `${'AAAA,'.repeat(50)}${signature}` })).toBe(PROOF_FAILED);
  });

  it('names its nonce, so that the door can refuse it a second time', () => {
    const verdict = verdictOf({ signature: VECTORS[2][2] });
    expect(verdict).toEqual({
      holds: true,
      nonce: `plivo ${NONCE}`,
      expiresAtUnixMs: NOW_UNIX_MS + 3_600_000,
    });
  });

  it('fails when forged, stripped, or made for another nonce, token, host or path', () => {
    const [, , signature] = VECTORS[2];
    expect(verdictOf({})).toBe(PROOF_FAILED);
    expect(verdictOf({ signature: '' })).toBe(PROOF_FAILED);
    expect(verdictOf({ signature: signature.toLowerCase() })).toBe(PROOF_FAILED);
    expect(verdictOf({ signature, nonce: '12345678901234567891' })).toBe(PROOF_FAILED);
    expect(verdictOf({ signature, nonce: '' })).toBe(PROOF_FAILED);
    expect(verdictOf({ signature }, `${TOKEN}1`)).toBe(PROOF_FAILED);
    expect(verdictOf({ signature, urls: ['wss://media.example.org/plivo'] })).toBe(PROOF_FAILED);
    expect(verdictOf({ signature, urls: ['wss://media.example.com/plivo/x'] })).toBe(PROOF_FAILED);
    expect(verdictOf({ signature, urls: [] })).toBe(PROOF_FAILED);
  });

  it('fails where there is no auth token, even if somebody signed with none', () => {
    const signature = signPlivoUrl('wss://media.example.com/plivo', NONCE, '');
    expect(verdictOf({ signature }, '')).toBe(PROOF_FAILED);
  });
});
