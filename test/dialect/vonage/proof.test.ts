import { createHmac } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import type { ProofVerdict } from '../../../src/dialect/proof.ts';
import { vonageDialect } from '../../../src/dialect/vonage/dialect.ts';
import { NO_UPGRADE } from '../wire.ts';

const SECRET = 'S1gnatureSecretOfTheAccount000000';
const NOW_UNIX_MS = Date.UTC(2026, 10, 21, 12);
const NOW_S = NOW_UNIX_MS / 1000;

/** The claims seen in the field. */
const CLAIMS = { iss: 'Vonage', api_key: 'abcd1234', application_id: 'aaaa', payload_hash: '00', iat: NOW_S };

function verify(authorization: string | undefined, nowUnixMs = NOW_UNIX_MS, secret = SECRET): ProofVerdict {
  const upgrade = { ...NO_UPGRADE, headers: { authorization } };
  return vonageDialect.verify!(upgrade, { signature_secret: secret }, nowUnixMs);
}

// By a library of its own, so that a mistake of ours is not checked against itself.
async function tokenOf(claims: object, secret = SECRET, alg = 'HS256'): Promise<string> {
  const jwt = new SignJWT({ ...claims }).setProtectedHeader({ alg, typ: 'JWT' });
  return `Bearer ${await jwt.sign(new TextEncoder().encode(secret))}`;
}

describe('a token of Vonage', () => {
  it('holds where the signature secret of the account made it', async () => {
    expect(verify(await tokenOf(CLAIMS))).toEqual({ holds: true });
    expect(verify((await tokenOf(CLAIMS)).replace('Bearer', 'bearer')).holds).toBe(true);
  });

  it('is good once, where it has an id', async () => {
    const verdict = verify(await tokenOf({ ...CLAIMS, jti: 'j-1' }));
    const again = verify(await tokenOf({ ...CLAIMS, jti: 'j-1' }));
    const other = verify(await tokenOf({ ...CLAIMS, jti: 'j-2' }));
    expect(verdict).toMatchObject({ holds: true, nonce: expect.any(String) as string });
    expect(again).toEqual(verdict);
    expect(other).not.toEqual(verdict);
    expect((verdict as { expiresAtUnixMs: number }).expiresAtUnixMs).toBeGreaterThan(NOW_UNIX_MS + 3_600_000);
  });

  it('does not hold where it was forged, stripped or made by another', async () => {
    const token = await tokenOf(CLAIMS);
    const [header, payload, signature] = token.slice(7).split('.');
    const forged = Buffer.from(JSON.stringify({ ...CLAIMS, api_key: 'other' })).toString('base64url');
    const wrong = [
      undefined,
      '',
      'Bearer ',
      `Bearer ${header}.${payload}.`,
      `Bearer ${header}.${payload}`,
      `Bearer ${header}.${forged}.${signature}`,
      `Basic ${token.slice(7)}`,
      `Bearer ${'a'.repeat(5_000)}.${payload}.${signature}`,
      await tokenOf(CLAIMS, 'another secret of the same length..'),
      `Bearer ${new UnsecuredJWT(CLAIMS).encode()}`,
      await tokenOf(CLAIMS, SECRET.repeat(2), 'HS512'),
    ];
    expect(wrong.map((one) => verify(one).holds)).toEqual(wrong.map(() => false));
  });

  it('does not hold under another algorithm, though the same secret made its signature', () => {
    const header = Buffer.from('{"alg":"none"}').toString('base64url');
    const payload = Buffer.from(JSON.stringify(CLAIMS)).toString('base64url');
    const signature = createHmac('sha256', SECRET).update(`${header}.${payload}`).digest('base64url');
    expect(verify(`Bearer ${header}.${payload}.${signature}`).holds).toBe(false);
  });

  it('does not hold when it is stale, or from the future', async () => {
    const untimely = [
      { iat: NOW_S - 361 },
      { exp: NOW_S - 61 },
      { iat: NOW_S, exp: NOW_S - 100 },
      { iat: NOW_S + 61 },
      { nbf: NOW_S + 61 },
    ];
    const tokens = await Promise.all(untimely.map((claims) => tokenOf(claims)));
    expect(tokens.filter((token) => verify(token).holds)).toEqual([]);
  });

  it('holds a little beyond its times, for clocks are never right, and without any claim of time', async () => {
    const timely = [
      { iat: NOW_S + 59 },
      { iat: NOW_S - 359 },
      { exp: NOW_S - 59 },
      { iat: 1, exp: NOW_S + 5 },
      {},
    ];
    const tokens = await Promise.all(timely.map((claims) => tokenOf(claims)));
    expect(tokens.filter((token) => !verify(token).holds)).toEqual([]);
  });

  it('lets nobody in without a secret', async () => {
    const empty = createHmac('sha256', '').update('e30.e30').digest('base64url');
    expect(verify(`Bearer e30.e30.${empty}`, NOW_UNIX_MS, '').holds).toBe(false);
  });
});
