import { createServer, connect, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { VoiceError } from '../../src/base/errors.ts';
import { openApiClient, type ApiClient } from '../../src/client/api-client.ts';
import type { LiveItem } from '../../src/client/event-stream.ts';
import { callView, openTestApi, type TestApi } from '../api/open-test-api.ts';

let house: TestApi;
let client: ApiClient;
beforeEach(async () => {
  house = await openTestApi();
  await house.api.listen();
  client = openClient(house.api.port);
});
afterEach(() => house.api.close());

function openClient(port: number, key = house.key()): ApiClient {
  return openApiClient({ url: `http://127.0.0.1:${port}/`, key, clock: systemClock });
}

const DEADLINE = { timeout: 10_000, interval: 5 };

describe('the client', () => {
  it('asks for sessions, credentials, webhooks and keys, and takes them back', async () => {
    const session = await client.createSession({ agent_id: 'echo' });
    expect(session.ws_url).toBe('ws://127.0.0.1:8081/media/native');
    const credential = await client.createCredential({ dialect: 'twilio' });
    expect(credential.url).toContain(credential.credential);
    const webhook = await client.createWebhook({ url: 'https://crm.example/', events: ['*'] });
    expect((await client.testWebhook(webhook.id)).delivered).toBe(true);
    const key = await client.createKey({ name: 'crm' });
    expect((await client.updateKey(key.id, { name: 'erp' })).name).toBe('erp');
    expect((await client.rotateKey(key.id)).key).not.toBe(key.key);
    await client.deleteCredential(credential.id);
    await client.deleteWebhook(webhook.id);
    await client.deleteKey(key.id);
    expect((await client.listCredentials()).items).toEqual([]);
    expect((await client.listWebhooks()).items).toEqual([]);
  });

  it('reads calls page by page, and hangs up', async () => {
    for (let i = 1; i <= 3; i++) house.ports.allCalls.set(`call_${i}`, callView({ id: `call_${i}` }));
    const first = await client.listCalls({ limit: 2 });
    const second = await client.listCalls({ limit: 2, cursor: first.nextCursor! });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(['call_3', 'call_2', 'call_1']);
    expect(second.nextCursor).toBeNull();
    expect((await client.getCall('call_1')).timeline).toHaveLength(1);
    expect(await client.hangUp('call_1')).toEqual({ id: 'call_1', state: 'ending' });
  });

  it('throws the fault that the API named', async () => {
    const fault = await client.createSession({ agent_id: 'agt_x' }).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(VoiceError);
    expect(fault).toMatchObject({ code: 'not_found', field: 'agent_id' });
    await expect(openClient(house.api.port, 'omf_live_wrong').listKeys()).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });

  it('says where nobody answers', async () => {
    await expect(openClient(1).listKeys()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('http://127.0.0.1:1/'),
    });
  });
});

describe('the event stream of the client', () => {
  it('goes on where it broke, without loss or double, until it is told to stop', async () => {
    const line = await openLine(house.api.port);
    const stop = new AbortController();
    const seen: LiveItem[] = [];
    let opens = 0;
    const onOpen = (): void => void opens++;
    const stream = openClient(line.port).eventStream({ signal: stop.signal, types: ['*'], onOpen });
    const reading = (async () => {
      for await (const item of stream) seen.push(item);
    })();
    await expect.poll(() => opens, DEADLINE).toBe(1);
    // Broken before the first event: what comes meanwhile must not be lost either.
    line.cut();
    for (let i = 0; i < 3; i++) house.journal.commit();
    await expect.poll(() => seen.length, DEADLINE).toBe(3);
    line.cut();
    for (let i = 0; i < 200; i++) house.journal.commit();
    await expect.poll(() => seen.length, DEADLINE).toBe(203);
    expect(opens).toBe(3);
    expect(seen.map(({ cursor }) => cursor)).toEqual(Array.from({ length: 203 }, (_, i) => `e1-${i + 1}`));
    stop.abort();
    await reading;
    line.close();
  });

  it('tells of gaps', async () => {
    for (let i = 0; i < 5; i++) house.journal.commit();
    house.journal.trim(4);
    const stop = new AbortController();
    const seen: LiveItem[] = [];
    for await (const item of client.eventStream({ from: 'e1-0', signal: stop.signal })) {
      seen.push(item);
      if (seen.length === 3) stop.abort();
    }
    expect(seen[0]).toEqual({ type: 'gap', cursor: 'e1-3', from: 1, to: 3 });
  });

  it('ends with the fault when trying again is no use', async () => {
    const stream = openClient(house.api.port, 'omf_live_wrong').eventStream();
    await expect(stream.next()).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

/** A line to a port that can be cut. */
async function openLine(toPort: number) {
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(toPort, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === 'object' ? address!.port : 0,
    cut,
    close: () => {
      cut();
      server.close();
    },
  };
}
