import { afterEach, beforeEach, expect, it } from 'vitest';
import { SCOPES } from '../../../src/api/api-key.ts';
import { sha256Hex } from '../../../src/base/secret.ts';
import { keyNamed, openTestApi, type TestApi } from '../open-test-api.ts';

let house: TestApi;
beforeEach(async () => {
  house = await openTestApi();
});
afterEach(() => house.api.close());

const as = (secret: string) => ({ authorization: `Bearer ${secret}` });

it('makes a key whose secret is shown once and stored as a hash', async () => {
  const { status, body } = await house.request('POST', '/api/v1/keys', { name: 'crm' });
  expect(status).toBe(201);
  const { key, id, hint } = body.data;
  expect(key).toMatch(/^omf_live_[A-Za-z0-9_-]{43}$/);
  expect(hint).toBe(`omf_live_…${key.slice(-4)}`);
  expect(house.ports.allKeys.get(id)).toMatchObject({ secretHash: sha256Hex(key), scopes: [...SCOPES] });
  expect(JSON.stringify(house.ports.allKeys.get(id))).not.toContain(key);
  const listed = await house.request('GET', '/api/v1/keys', undefined, as(key));
  expect([listed.status, listed.text.includes(key)]).toEqual([200, false]);
});

it('passes on only what the maker may do itself', async () => {
  const limited = house.key({ scopes: ['keys:manage', 'calls:read'] });
  const inherited = await house.request('POST', '/api/v1/keys', { name: 'heir' }, as(limited));
  expect(inherited.body.data.scopes).toEqual(['keys:manage', 'calls:read']);
  const wish = { name: 'more', scopes: ['calls:read', 'ops'] };
  const { status, body } = await house.request('POST', '/api/v1/keys', wish, as(limited));
  expect([status, body.error.code, body.error.field]).toEqual([403, 'permission_denied', 'scopes']);
  expect(body.error.message).toContain('ops');
});

it('does not let a weaker key take over a stronger one', async () => {
  house.key({ name: 'strong' });
  const { id } = keyNamed(house.ports, 'strong');
  const weak = as(house.key({ scopes: ['keys:manage'] }));
  expect((await house.request('POST', `/api/v1/keys/${id}/rotate`, undefined, weak)).status).toBe(403);
  expect((await house.request('PATCH', `/api/v1/keys/${id}`, { name: 'mine' }, weak)).status).toBe(403);
});

it('changes a key with effect on the next request', async () => {
  const secret = house.key({ name: 'narrow' });
  expect((await house.request('GET', '/api/v1/calls', undefined, as(secret))).status).toBe(200);
  const { id } = keyNamed(house.ports, 'narrow');
  const change = { scopes: ['events:read'], rate_per_minute: 5, expires_at: '2027-01-01T00:00:00Z' };
  const { body } = await house.request('PATCH', `/api/v1/keys/${id}`, change);
  expect(body.data).toMatchObject({ ...change, expires_at: '2027-01-01T00:00:00.000Z', name: 'narrow' });
  expect((await house.request('GET', '/api/v1/calls', undefined, as(secret))).status).toBe(403);
});

it('rotates: both keys work for 24 hours, then only the new one', async () => {
  const old = house.key({ name: 'crm', scopes: ['calls:read'] });
  const { id } = keyNamed(house.ports, 'crm');
  const { status, body } = await house.request('POST', `/api/v1/keys/${id}/rotate`);
  expect(status).toBe(201);
  expect(body.data).toMatchObject({ name: 'crm', scopes: ['calls:read'], expires_at: null });
  const fresh = body.data.key;
  const works = async (secret: string) =>
    (await house.request('GET', '/api/v1/calls', undefined, as(secret))).status;
  expect([await works(old), await works(fresh)]).toEqual([200, 200]);
  house.clock.advance(24 * 3_600_000);
  expect([await works(old), await works(fresh)]).toEqual([401, 200]);
});

it.each([
  [{ name: '' }, 'name'],
  [{ name: 'x', scopes: ['everything'] }, 'scopes.0'],
  [{ name: 'x', ip_allow: ['here'] }, 'ip_allow'],
  [{ name: 'x', expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
  [{ name: 'x', expires_at: 'tomorrow' }, 'expires_at'],
  [{ name: 'x', rate_per_minute: 0 }, 'rate_per_minute'],
])('refuses %j', async (wish, field) => {
  const { status, body } = await house.request('POST', '/api/v1/keys', wish);
  expect([status, body.error.field]).toEqual([400, field]);
});

it('keeps test and live keys apart', async () => {
  const test = as(house.key({ name: 'trial', testMode: true }));
  const { body } = await house.request('POST', '/api/v1/keys', { name: 'child' }, test);
  expect(body.data.key).toMatch(/^omf_test_/);
  expect((await house.request('POST', '/api/v1/keys', { name: 'live', test_mode: false }, test)).status).toBe(
    403,
  );
  const names = (await house.request('GET', '/api/v1/keys', undefined, test)).body.data;
  expect(names.map(({ name }: { name: string }) => name)).toEqual(['child', 'trial']);
  const { id } = keyNamed(house.ports, 'test');
  expect((await house.request('DELETE', `/api/v1/keys/${id}`, undefined, test)).status).toBe(404);
});
