import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTestApi, type TestApi } from './open-test-api.ts';

let house: TestApi;
let secret: string;
beforeEach(async () => {
  house = await openTestApi();
  secret = house.key();
});
afterEach(() => house.api.close());

function post(body: object, idempotencyKey: string, as = secret) {
  const headers = { authorization: `Bearer ${as}`, 'idempotency-key': idempotencyKey };
  return house.request('POST', '/api/v1/keys', body, headers);
}

it('gives the first answer again for the same key and body, and makes nothing twice', async () => {
  const first = await post({ name: 'a' }, 'once');
  const second = await post({ name: 'a' }, 'once');
  expect([first.status, second.status]).toEqual([201, 201]);
  expect(second.text).toBe(first.text);
  expect(second.headers['idempotency-replayed']).toBe('true');
  expect([...house.ports.allKeys.values()].filter(({ name }) => name === 'a')).toHaveLength(1);
});

it('refuses the same key with another body or for another address', async () => {
  await post({ name: 'a' }, 'once');
  const other = await post({ name: 'b' }, 'once');
  expect([other.status, other.body.error.code]).toEqual([409, 'conflict']);
  const headers = { authorization: `Bearer ${secret}`, 'idempotency-key': 'once' };
  expect((await house.request('POST', '/api/v1/events/ticket', undefined, headers)).status).toBe(409);
});

it('keeps the keys of different API keys apart', async () => {
  const first = await post({ name: 'a' }, 'once');
  const second = await post({ name: 'a' }, 'once', house.key());
  expect(second.body.data.id).not.toBe(first.body.data.id);
});

it('refuses a repetition while the first is still under way', async () => {
  let finish = (): void => undefined;
  const create = house.ports.keys.create.bind(house.ports.keys);
  house.ports.keys.create = async (key) => {
    await new Promise<void>((resolve) => (finish = resolve));
    await create(key);
  };
  const first = post({ name: 'a' }, 'once');
  await expect.poll(() => house.api.stats()['keyLookups']).toBe(1);
  await expect.poll(async () => (await post({ name: 'a' }, 'once')).status).toBe(409);
  finish();
  expect((await first).status).toBe(201);
  expect((await post({ name: 'a' }, 'once')).body.data).toEqual((await first).body.data);
});

it('gives the answer to whoever asks again after having left too early', async () => {
  await house.api.listen();
  const left = new Promise((resolve) => {
    house.api.app.server.once('connection', (socket) => socket.once('close', resolve));
  });
  const begun = Promise.withResolvers<void>();
  const finished = Promise.withResolvers<void>();
  const create = house.ports.keys.create.bind(house.ports.keys);
  house.ports.keys.create = async (key) => {
    begun.resolve();
    await finished.promise;
    await create(key);
  };
  const leaving = new AbortController();
  const authorization = `Bearer ${secret}`;
  const headers = { authorization, 'content-type': 'application/json', 'idempotency-key': 'once' };
  const wish = { method: 'POST', headers, body: '{"name":"a"}', signal: leaving.signal };
  const first = fetch(`http://127.0.0.1:${house.api.port}/api/v1/keys`, wish);
  await begun.promise;
  leaving.abort();
  await expect(first).rejects.toThrow(/abort/);
  await left;
  finished.resolve();
  await expect.poll(async () => (await post({ name: 'a' }, 'once')).status).toBe(201);
  expect([...house.ports.allKeys.values()].filter(({ name }) => name === 'a')).toHaveLength(1);
});

it('keeps what was refused for its reasons, but lets our own failures be tried again', async () => {
  const create = house.ports.keys.create.bind(house.ports.keys);
  house.ports.keys.create = async () => {
    throw new Error('disk full');
  };
  expect((await post({ name: 'a' }, 'once')).status).toBe(500);
  house.ports.keys.create = create;
  expect((await post({ name: 'a' }, 'once')).status).toBe(201);
  const refused = await post({ name: 'a', ip_allow: ['nowhere'] }, 'other');
  expect(refused.status).toBe(400);
  expect((await post({ name: 'a', ip_allow: ['nowhere'] }, 'other')).text).toBe(refused.text);
});

it('keeps an answer for 24 hours', async () => {
  await post({ name: 'a' }, 'once');
  const [entry] = house.ports.answers.values();
  expect(entry!.expiresUnixMs).toBe(house.clock.unixMs() + 86_400_000);
});

it('tells a replay in the version the repetition asks for', async () => {
  await post({ name: 'a' }, 'once');
  const headers = {
    authorization: `Bearer ${secret}`,
    'idempotency-key': 'once',
    'omniflow-version': '2025-06-01',
  };
  const again = await house.request('POST', '/api/v1/keys', { name: 'a' }, headers);
  expect([again.status, again.headers['omniflow-version']]).toEqual([201, '2025-06-01']);
});
