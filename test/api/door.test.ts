import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from './open-test-api.ts';

let house: TestApi;
beforeEach(async () => {
  house = await openTestApi();
});
afterEach(() => house.api.close());

const CALLS = '/api/v1/calls';

async function get(secret: string | undefined, url = CALLS) {
  return house.request(
    'GET',
    url,
    undefined,
    secret === undefined ? {} : { authorization: `Bearer ${secret}` },
  );
}

describe('a key', () => {
  it('opens the door as Bearer and as X-API-Key', async () => {
    const secret = house.key();
    expect((await get(secret)).status).toBe(200);
    expect((await house.request('GET', CALLS, undefined, { 'x-api-key': secret })).status).toBe(200);
  });

  it.each([
    ['absent', undefined],
    ['unknown', 'omf_live_0123456789012345678901234567890123456789012'],
    ['of another shape', 'sk_live_1234'],
  ])('that is %s is refused with 401 in the envelope', async (_what, secret) => {
    const { status, body, headers } = await get(secret);
    expect([status, body.error.code]).toEqual([401, 'unauthenticated']);
    expect(headers['www-authenticate']).toContain('Bearer');
  });

  it('opens nothing once it has expired, not even from the cache', async () => {
    const expiresAt = new Date(house.clock.unixMs() + 3_000).toISOString();
    const secret = house.key({ expiresAt });
    expect((await get(secret)).status).toBe(200);
    house.clock.advance(3_000);
    expect((await get(secret)).status).toBe(401);
  });

  it('is looked up once for many requests, and again when it is no longer fresh', async () => {
    const secret = house.key();
    for (let i = 0; i < 5; i++) await get(secret);
    expect(house.ports.lookups).toBe(1);
    house.clock.advance(5_000);
    await get(secret);
    expect(house.ports.lookups).toBe(2);
  });

  it('opens nothing from the moment it is removed', async () => {
    const secret = house.key({ name: 'doomed' });
    expect((await get(secret)).status).toBe(200);
    const [{ id }] = (await house.request('GET', '/api/v1/keys')).body.data;
    expect((await house.request('DELETE', `/api/v1/keys/${id}`)).status).toBe(200);
    expect((await get(secret)).status).toBe(401);
  });

  it('without the scope is refused by the name of the scope', async () => {
    const { status, body } = await get(house.key({ scopes: ['events:read'] }));
    expect([status, body.error.code]).toEqual([403, 'permission_denied']);
    expect(body.error.message).toContain('calls:read');
  });

  it('with an allow-list opens from its addresses only', async () => {
    expect((await get(house.key({ ipAllow: ['127.0.0.0/8'] }))).status).toBe(200);
    expect((await get(house.key({ ipAllow: ['127.0.0.1'] }))).status).toBe(200);
    expect((await get(house.key({ ipAllow: ['10.0.0.0/8', '::1'] }))).status).toBe(403);
  });

  it('has its use noted at most once a minute', async () => {
    const secret = house.key();
    for (let i = 0; i < 5; i++) await get(secret);
    expect(house.ports.updates).toBe(1);
    house.clock.advance(60_000);
    await get(secret);
    expect(house.ports.updates).toBe(2);
  });
});

describe('forwarded addresses', () => {
  it('are believed from trusted proxies and from nobody else', async () => {
    const behind = await openTestApi({ trustedProxies: ['127.0.0.0/8'] });
    const ask = (api: TestApi) =>
      api.request('GET', CALLS, undefined, {
        authorization: `Bearer ${api.key({ ipAllow: ['203.0.113.7'] })}`,
        'x-forwarded-for': '203.0.113.7',
      });
    expect((await ask(behind)).status).toBe(200);
    expect((await ask(house)).status).toBe(403);
    await behind.api.close();
  });
});

describe('failed authentications', () => {
  const guess = () => get(`omf_live_guess${house.clock.randomBytes(8).toString('hex')}`);

  it('are limited per address, without asking the store any more', async () => {
    for (let i = 0; i < 20; i++) expect((await guess()).status).toBe(401);
    const { lookups } = house.ports;
    const { status, body, headers } = await guess();
    expect([status, body.error.code, headers['retry-after']]).toEqual([429, 'rate_limited', '3']);
    expect(house.ports.lookups).toBe(lookups);
    expect(house.api.stats()).toMatchObject({ authenticationFailures: 20, authenticationTurnedAway: 1 });
    house.clock.advance(3_000);
    expect((await guess()).status).toBe(401);
  });

  it('do not lock out a neighbour whose key is known', async () => {
    const secret = house.key();
    await get(secret);
    for (let i = 0; i < 21; i++) await guess();
    expect((await get(secret)).status).toBe(200);
  });
});

describe('the request limit', () => {
  it('serves a burst of 120, then one a second', async () => {
    const secret = house.key();
    for (let i = 0; i < 120; i++) expect((await get(secret)).status).toBe(200);
    const { status, headers, body } = await get(secret);
    expect([status, body.error.code, headers['retry-after']]).toEqual([429, 'rate_limited', '1']);
    house.clock.advance(500);
    expect((await get(secret)).status).toBe(429);
    house.clock.advance(500);
    expect((await get(secret)).status).toBe(200);
  });

  it('tells on every answer where the key stands', async () => {
    const secret = house.key();
    const nowUnixS = house.clock.unixMs() / 1000;
    const first = await get(secret);
    expect(first.headers).toMatchObject({
      'x-ratelimit-limit': '60',
      'x-ratelimit-remaining': '59',
      'x-ratelimit-reset': String(nowUnixS + 1),
    });
    const wrong = await get(secret, '/api/v1/calls?limit=0');
    expect(wrong.status).toBe(400);
    expect(wrong.headers['x-ratelimit-remaining']).toBe('58');
  });

  it('can be set per key', async () => {
    const secret = house.key({ ratePerMinute: 2 });
    for (let i = 0; i < 4; i++) expect((await get(secret)).status).toBe(200);
    const { status, headers } = await get(secret);
    expect([status, headers['x-ratelimit-limit'], headers['retry-after']]).toEqual([429, '2', '30']);
  });

  it('never touches voice sessions', async () => {
    const authorization = `Bearer ${house.key({ ratePerMinute: 1 })}`;
    for (let i = 0; i < 10; i++) {
      const answer = await house.request('POST', '/api/v1/voice/sessions', {}, { authorization });
      expect([answer.status, answer.headers['x-ratelimit-remaining']]).toEqual([200, '1']);
    }
  });
});
