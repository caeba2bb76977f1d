import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Lifetime } from '../../../src/base/lifetime.ts';
import { acsDialect } from '../../../src/dialect/acs/dialect.ts';
import { IssuerTokens } from '../../../src/gateway/door/issuer-tokens.ts';
import { openIssuerTokens } from '../../../src/node/door/issuer-keys.ts';
import { openDoor, type Door } from '../../fakes/gateway-house.ts';
import { ask, UPGRADE_HEADERS } from '../../fakes/gateway-visitors.ts';

const { issuer: ISSUER } = acsDialect.issuer!;
const AUDIENCE = '11111111-2222-4333-8444-555555555555';
const NOW_MS = Date.UTC(2026, 10, 21, 12);

function openTokens(egressAllow: readonly string[]): IssuerTokens {
  const lifetime = new Lifetime();
  onTestFinished(() => lifetime.close());
  return openIssuerTokens(systemClock, egressAllow, lifetime);
}

interface Signer {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

async function signerOf(kid: string): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
}

interface Told {
  readonly issuer?: string;
  readonly audience?: string;
  readonly madeAgoS?: number;
  readonly kid?: string;
}

/** A token as Azure makes it: good for five minutes. */
function tokenBy({ privateKey, jwk }: Signer, told: Told = {}, nowUnixMs = NOW_MS): Promise<string> {
  const madeAtS = Math.floor(nowUnixMs / 1000) - (told.madeAgoS ?? 1);
  return new SignJWT({})
    .setProtectedHeader({ alg: 'RS256', kid: told.kid ?? jwk.kid! })
    .setIssuer(told.issuer ?? ISSUER)
    .setAudience(told.audience ?? AUDIENCE)
    .setIssuedAt(madeAtS)
    .setExpirationTime(madeAtS + 300)
    .sign(privateKey);
}

/** An issuer's server: its configuration, and the keys it has just now. */
async function openIssuer(...signers: readonly Signer[]) {
  const house = { keys: signers.map(({ jwk }) => jwk), isDown: false, asked: [] as string[] };
  const server = createServer(({ url = '' }, response) => {
    house.asked.push(url);
    const text = JSON.stringify(url === '/config' ? { jwks_uri: `${base}/keys` } : { keys: house.keys });
    response.writeHead(house.isDown ? 503 : 200, { 'content-type': 'application/json' }).end(text);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(house, { url: `${base}/config`, keysUrl: `${base}/keys` });
}

describe('a provider’s JWT', () => {
  const tokens = (): IssuerTokens => openTokens(['127.0.0.1']);

  it('holds where its issuer signed it for us, whether keys or a configuration are named', async () => {
    const signer = await signerOf('a');
    const { url, keysUrl, asked } = await openIssuer(signer);
    const token = await tokenBy(signer);
    for (const place of [url, keysUrl]) {
      const demand = { issuer: ISSUER, keysUrl: place, audience: AUDIENCE };
      expect(await tokens().isValid(token, demand, NOW_MS)).toBe(true);
    }
    expect(asked).toEqual(['/config', '/keys', '/keys']);
  });

  it('does not hold when forged, expired, not yet made, or of another audience or issuer', async () => {
    const [signer, forger] = [await signerOf('a'), await signerOf('a')];
    const { keysUrl } = await openIssuer(signer);
    const demand = { issuer: ISSUER, keysUrl, audience: AUDIENCE };
    const checked = tokens();
    const head = Buffer.from('{"alg":"none","kid":"a"}').toString('base64url');
    const [, payload = ''] = (await tokenBy(signer)).split('.');
    for (const token of [
      await tokenBy(forger),
      await tokenBy(signer, { madeAgoS: 400 }),
      await tokenBy(signer, { audience: 'another' }),
      await tokenBy(signer, { issuer: 'https://elsewhere.example.com' }),
      `${head}.${payload}.`,
      'a.b.c',
      '',
      'x'.repeat(10_000),
    ]) {
      expect(await checked.isValid(token, demand, NOW_MS)).toBe(false);
    }
    expect(await checked.isValid(await tokenBy(signer), { ...demand, audience: '' }, NOW_MS)).toBe(false);
    expect(await checked.isValid(await tokenBy(signer), demand, NOW_MS)).toBe(true);
  });

  it('is known by keys that were rotated in, which are looked for once in half a minute', async () => {
    const [old, fresh] = [await signerOf('old'), await signerOf('fresh')];
    const house = await openIssuer(old);
    const demand = { issuer: ISSUER, keysUrl: house.keysUrl, audience: AUDIENCE };
    const checked = tokens();
    expect(await checked.isValid(await tokenBy(old), demand, NOW_MS)).toBe(true);
    house.keys = [fresh.jwk];
    const later = await tokenBy(fresh);
    expect(await checked.isValid(later, demand, NOW_MS + 1_000)).toBe(false);
    expect(house.asked).toHaveLength(1);
    expect(await checked.isValid(later, demand, NOW_MS + 31_000)).toBe(true);
    expect(await checked.isValid(await tokenBy(old), demand, NOW_MS + 32_000)).toBe(false);
    expect(house.asked).toHaveLength(2);
  });

  it('waits with all others for one fetch, and has its keys for an hour', async () => {
    const signer = await signerOf('a');
    const house = await openIssuer(signer);
    const demand = { issuer: ISSUER, keysUrl: house.keysUrl, audience: AUDIENCE };
    const checked = tokens();
    const token = await tokenBy(signer, { madeAgoS: -3_500 });
    const many = await Promise.all(
      Array.from({ length: 20 }, async () => checked.isValid(await tokenBy(signer), demand, NOW_MS)),
    );
    expect([new Set(many), house.asked.length]).toEqual([new Set([true]), 1]);
    house.isDown = true;
    // The hour is over and nobody answers: the last keys are believed.
    expect(await checked.isValid(token, demand, NOW_MS + 3_600_000)).toBe(true);
    expect([house.asked.length, checked.stats.failed]).toEqual([2, 1]);
  });

  it('is not believed where its keys cannot be had, or are beyond the guard', async () => {
    const signer = await signerOf('a');
    const house = await openIssuer(signer);
    const demand = { issuer: ISSUER, keysUrl: house.keysUrl, audience: AUDIENCE };
    const guarded = openTokens([]);
    expect(await guarded.isValid(await tokenBy(signer), demand, NOW_MS)).toBe(false);
    expect([house.asked, guarded.stats.failed]).toEqual([[], 1]);
    for (const said of ['', '[]', '{"keys":[]}', '{"keys":[7]}', `{"keys":[${'{},'.repeat(80)}{}]}`]) {
      const checked = new IssuerTokens(() => Promise.resolve(said));
      expect(await checked.isValid(await tokenBy(signer), demand, NOW_MS)).toBe(false);
    }
  });

  it('is of 64 issuers at a time', async () => {
    const checked = new IssuerTokens(() => Promise.resolve(undefined));
    const token = await tokenBy(await signerOf('a'));
    for (let i = 0; i < 65; i++) {
      await checked.isValid(token, { issuer: ISSUER, keysUrl: `https://k${i}`, audience: AUDIENCE }, NOW_MS);
    }
    expect(checked.stats.forgotten).toBe(1);
  });
});

describe('Azure at the door', () => {
  async function openAzureDoor(keys_url: string): Promise<Door> {
    const door = await openDoor({ issuerTokens: openTokens(['127.0.0.1']) });
    onTestFinished(() => door.gateway.close());
    door.addCredential('sc_acs', { dialect: 'acs', verify: { audience: AUDIENCE, keys_url } });
    return door;
  }

  const knock = async ({ gateway }: Door, token?: string): Promise<number> => {
    const shown = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const headers = { ...UPGRADE_HEADERS, ...shown };
    return (await ask(gateway.ownPort, '/media/acs/sc_acs', { method: 'GET', headers })).status;
  };

  it('is let in with its own token, and refused with another, an old one, or none', async () => {
    const [signer, forger] = [await signerOf('a'), await signerOf('a')];
    const door = await openAzureDoor((await openIssuer(signer)).url);
    const nowUnixMs = door.clock.unixMs();
    expect(await knock(door, await tokenBy(signer, {}, nowUnixMs))).toBe(101);
    expect(await knock(door, await tokenBy(forger, {}, nowUnixMs))).toBe(401);
    expect(await knock(door, await tokenBy(signer, { madeAgoS: 400 }, nowUnixMs))).toBe(401);
    expect(await knock(door, await tokenBy(signer, { audience: 'other' }, nowUnixMs))).toBe(401);
    expect(await knock(door)).toBe(401);
  });
});
