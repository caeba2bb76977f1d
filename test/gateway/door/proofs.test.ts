import twilio from 'twilio';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dialectOf } from '../../../src/dialect/registry.ts';
import { signTwilioUrl } from '../../../src/dialect/twilio/signature.ts';
import type { DoorCredential } from '../../../src/gateway/door/admission.ts';
import { Nonces } from '../../../src/gateway/door/nonces.ts';
import { openDoor, type Door } from '../../fakes/gateway-house.ts';
import { ask, UPGRADE_HEADERS } from '../../fakes/gateway-visitors.ts';
import { oddDialect } from '../../fakes/odd-dialect.ts';

const PUBLIC = 'wss://media.example.com';
const TOKEN = '12345678901234567890123456789012';

/** Proves itself by `x-odd-nonce`, good once, for a minute. */
const signing = oddDialect({
  proofs: ['api_key'],
  verify: ({ headers }, proof, nowUnixMs) =>
    headers['x-odd-key'] === proof.api_key
      ? { holds: true, nonce: headers['x-odd-nonce'] ?? '', expiresAtUnixMs: nowUnixMs + 60_000 }
      : { holds: false },
});

let door: Door;
beforeEach(async () => {
  door = await openDoor({
    trustedProxies: ['127.0.0.1'],
    publicMediaUrls: [PUBLIC],
    dialects: (name) => (name === 'odd' ? signing : dialectOf(name)),
  });
});
afterEach(() => door.gateway.close());

type Headers = Readonly<Record<string, string>>;

/** The status of an upgrade over a real socket. */
async function status(path: string, headers: Headers = {}): Promise<number> {
  return (await ask(door.gateway.ownPort, path, { headers: { ...UPGRADE_HEADERS, ...headers } })).status;
}

function demand(verify: DoorCredential['verify'], dialect = 'twilio'): string {
  door.addCredential('sc_proof', { dialect, ...(verify !== undefined && { verify }) });
  return `/media/${dialect}/sc_proof`;
}

function basicOf(text: string): string {
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

describe('a bearer', () => {
  it('is shown word for word, behind its scheme in either case', async () => {
    const path = demand({ bearer: 'b-1' });
    for (const shown of ['Bearer b-1', 'bearer b-1', 'BEARER  b-1']) {
      expect(await status(path, { Authorization: shown })).toBe(101);
    }
    for (const shown of ['Bearer b-2', 'Bearer', 'Bearer b-1 b-1', 'b-1', 'Basic b-1', basicOf('b-1')]) {
      expect(await status(path, { Authorization: shown }), `for ${shown}`).toBe(401);
    }
    expect(await status(path)).toBe(401);
  });
});

describe('a name and password', () => {
  it('are compared as they are, colons in the password included', async () => {
    const path = demand({ basic: { username: 'ünal', password: 'a:b' } });
    expect(await status(path, { Authorization: basicOf('ünal:a:b') })).toBe(101);
    for (const wrong of ['ünal:a', 'unal:a:b', ':', 'ünal:a:b ']) {
      expect(await status(path, { Authorization: basicOf(wrong) }), `for ${wrong}`).toBe(401);
    }
    expect(await status(path, { Authorization: 'Basic !!!' })).toBe(401);
    expect(await status(path)).toBe(401);
  });
});

describe('several proofs', () => {
  it('must all hold', async () => {
    const path = demand({ auth_token: TOKEN, bearer: 'b-1', ip_allow: ['203.0.113.0/24'] });
    const good: Headers = {
      Authorization: 'Bearer b-1',
      'X-Twilio-Signature': signTwilioUrl(`${PUBLIC}${path}`, TOKEN),
      'X-Forwarded-For': '203.0.113.9',
    };
    expect(await status(path, good)).toBe(101);
    for (const missing of Object.keys(good)) {
      const rest = Object.fromEntries(Object.entries(good).filter(([name]) => name !== missing));
      expect(await status(path, rest), `without ${missing}`).toBe(401);
    }
  });

  it('that the dialect cannot check let nobody in', async () => {
    expect(await status(demand({ api_key: 'k' }), { 'x-odd-key': 'k' })).toBe(401);
    expect(await status(demand({ auth_token: TOKEN }, 'native'))).toBe(401);
  });
});

describe('a proof that is good once', () => {
  const shown = (nonce: string): Headers => ({ 'x-odd-key': 'k', 'x-odd-nonce': nonce });

  it('is refused the second time, also by a sibling, and counted', async () => {
    const path = demand({ api_key: 'k' }, 'odd');
    expect([await status(path, shown('n-1')), await status(path, shown('n-1'))]).toEqual([101, 401]);
    expect(await status(path, shown('n-2'))).toBe(101);
    expect(door.gateway.nonceStats).toEqual({ remembered: 2, replayed: 1, refusedFull: 0 });
    expect(new Nonces(door.sessions).take('x', 1, 0)).toBe(true);
    expect(new Nonces(door.sessions).take('x', 1, 0)).toBe(false);
  });

  it('is not used up by somebody whose other proofs fail, nor by a wrong one', async () => {
    const path = demand({ api_key: 'k', bearer: 'b' }, 'odd');
    expect(await status(path, shown('n-1'))).toBe(401);
    expect(await status(path, { ...shown('n-1'), 'x-odd-key': 'other' })).toBe(401);
    expect(await status(path, { ...shown('n-1'), Authorization: 'Bearer b' })).toBe(101);
  });

  it('is remembered until it would not hold any more, and no more than there is room for', () => {
    const fresh = { take: () => 'taken' as const };
    const nonces = new Nonces(fresh, 2);
    expect([nonces.take('a', 100, 0), nonces.take('b', 200, 0), nonces.take('c', 300, 0)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(nonces.stats).toEqual({ remembered: 2, replayed: 0, refusedFull: 1 });
    expect([nonces.take('b', 200, 150), nonces.take('c', 300, 150), nonces.take('a', 300, 150)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('is refused where nobody can say whether it was seen', () => {
    expect(new Nonces({ take: () => 'unavailable' }).take('a', 100, 0)).toBe(false);
  });
});

describe('Twilio’s signature over a real socket', () => {
  const path = '/media/twilio/sc_proof';
  const { getExpectedTwilioSignature, validateRequest } = twilio;

  beforeEach(() => demand({ auth_token: TOKEN }));

  it.each([
    `${PUBLIC}${path}`,
    `${PUBLIC}${path}/`,
    `https://media.example.com${path}`,
    `wss://media.example.com:443${path}`,
  ])('made by its official package of %s is believed, and ours by its package', async (url) => {
    const theirs = getExpectedTwilioSignature(TOKEN, url, {});
    expect(signTwilioUrl(url, TOKEN)).toBe(theirs);
    expect(validateRequest(TOKEN, signTwilioUrl(url, TOKEN), url, {})).toBe(true);
    expect(await status(path, { 'X-Twilio-Signature': theirs })).toBe(101);
  });

  it('is refused when it is forged, stripped, of another account, or of what was signed before', async () => {
    const good = getExpectedTwilioSignature(TOKEN, `${PUBLIC}${path}`, {});
    const foreign = getExpectedTwilioSignature(TOKEN.replace('1', '2'), `${PUBLIC}${path}`, {});
    // Twilio signs nothing but the URL: what is stale is a URL that was revoked.
    const stale = getExpectedTwilioSignature(TOKEN, `${PUBLIC}/media/twilio/sc_revoked`, {});
    for (const wrong of [`A${good.slice(1)}`, good.slice(0, -4), '', foreign, stale]) {
      expect(await status(path, { 'X-Twilio-Signature': wrong })).toBe(401);
    }
    expect(await status(path)).toBe(401);
    expect(await status('/media/twilio/sc_revoked', { 'X-Twilio-Signature': stale })).toBe(401);
  });
});
