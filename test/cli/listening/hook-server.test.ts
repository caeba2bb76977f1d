import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { HookServer, type HookServerOptions, type Received } from '../../../src/cli/listening/hook-server.ts';

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

let server: HookServer;
afterEach(() => server.close());

async function openServer(options: Partial<HookServerOptions> = {}): Promise<Received[]> {
  const received: Received[] = [];
  server = await HookServer.open({
    clock: systemClock,
    port: 0,
    secret: Promise.resolve(SECRET),
    failRatio: 0,
    delayMs: 0,
    onReceived: (one) => void received.push(one),
    ...options,
  });
  return received;
}

async function deliver(body: string, secret = SECRET): Promise<number> {
  const now = new Date();
  const headers = {
    'webhook-id': 'evt_1',
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign('evt_1', now, body),
  };
  return (await fetch(server.url, { method: 'POST', headers, body })).status;
}

describe('the receiver', () => {
  it('takes what is signed, and tells of it', async () => {
    const received = await openServer();
    expect(await deliver('{"id":"evt_1"}')).toBe(200);
    expect(received).toMatchObject([
      { event: { id: 'evt_1' }, doubt: undefined, status: 200, isOnPurpose: false },
    ]);
  });

  it('refuses what is not, and tells of it all the same', async () => {
    const received = await openServer();
    expect(await deliver('{}', `whsec_${Buffer.alloc(24, 8).toString('base64')}`)).toBe(401);
    expect(received).toMatchObject([{ doubt: 'wrong_signature', status: 401 }]);
  });

  it('lets a delivery wait until its secret is known', async () => {
    const secret = Promise.withResolvers<string>();
    const received = await openServer({ secret: secret.promise });
    const delivery = deliver('{}');
    await new Promise((resolve) => setImmediate(resolve));
    secret.resolve(SECRET);
    expect(await delivery).toBe(200);
    expect(received).toHaveLength(1);
  });

  it('fails as often as it was told to, and takes its time', async () => {
    const received = await openServer({ failRatio: 1, delayMs: 30 });
    const startAtMs = performance.now();
    expect(await deliver('{}')).toBe(503);
    expect(performance.now() - startAtMs).toBeGreaterThan(25);
    expect(received).toMatchObject([{ status: 503, isOnPurpose: true }]);
  });

  it.each([
    ['no JSON', { method: 'POST', body: 'hello' }, 400],
    ['a GET', { method: 'GET' }, 405],
    ['too much', { method: 'POST', body: 'x'.repeat(1_100_000) }, 413],
  ])('answers a stranger with %s', async (_, init, status) => {
    const received = await openServer();
    expect((await fetch(server.url, init)).status).toBe(status);
    expect(received).toEqual([]);
    expect(server.stats.strangers + server.stats.oversized).toBe(1);
  });

  it('says where its port is taken', async () => {
    await openServer();
    const port = Number(new URL(server.url).port);
    const second = HookServer.open({
      clock: systemClock,
      port,
      secret: Promise.resolve(SECRET),
      failRatio: 0,
      delayMs: 0,
      onReceived: () => undefined,
    });
    await expect(second).rejects.toThrow(`cannot listen on port ${port}`);
  });
});
