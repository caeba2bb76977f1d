import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisServer } from '../fakes/redis/server.ts';
import {
  clusterSettings,
  freshDatabase,
  hooksOf,
  Opened,
  peerUrl,
  RESUMING,
  untilCompleted,
  untilFound,
} from './cluster-scene.ts';
import type { HookReceiver } from './hooks.ts';
import { House, until } from './house.ts';
import { TwilioCaller } from './twilio-caller.ts';

const opened = new Opened();
const speech = Buffer.alloc(160, 0x9a);
let first: House;
let second: House;
let hooks: HookReceiver;
let caller: TwilioCaller;
let callId: string;

const isTold = (type: string): boolean =>
  hooks.firstArrivals(callId).some((envelope) => envelope.type === type);

/** Of the port, the same path: one credential opens the doors of every host. */
function atHouse(url: string, house: House): string {
  const there = new URL(url);
  there.port = new URL(house.ready.media_url).port;
  return there.href;
}

beforeAll(async () => {
  const databaseUrl = await freshDatabase(opened);
  const redis = opened.own(await RedisServer.open());
  const shared = { ...clusterSettings(redis), ...RESUMING, DATABASE_URL: databaseUrl };
  first = opened.own(await House.open(shared));
  second = opened.own(await House.open({ ...shared, PEER_URL: peerUrl() }));
  hooks = await hooksOf(first, opened);
  const made = { dialect: 'twilio', agent_id: 'echo' };
  const { url } = await first.api<{ url: string }>('POST', '/voice/stream-credentials', made);
  caller = await TwilioCaller.dial(url);
  void caller.speak(speech, true);
  await until('the call to be told', () => hooks.callIds.length === 1 && caller.heard.length > 25);
  callId = hooks.callIds[0]!;
}, 60_000);

afterAll(() => opened.close());

const ask = (house: House, path: string, body: object, method = 'POST'): Promise<Response> =>
  house.fetch(method, `/calls/${callId}/${path}`, body);

describe('the API of a host that does not have the call', () => {
  it('reads it, and commands it as its own host does', async () => {
    const call = await second.api<{ state: string; legs: { role: string; leg_id: string }[] }>(
      'GET',
      `/calls/${callId}`,
    );
    expect(call.state).toBe('active');
    const leg = call.legs.find(({ role }) => role === 'caller')!.leg_id;
    expect((await ask(second, `legs/${leg}`, { muted: true }, 'PATCH')).status).toBe(200);
    expect((await ask(second, `legs/${leg}`, { muted: false }, 'PATCH')).status).toBe(200);
    expect((await ask(second, 'dtmf', { digits: '42' })).status).toBe(200);
    const invited = (await (await ask(second, 'legs', { role: 'supervisor' })).json()) as {
      data: { ws_url: string };
    };
    // The way in leads to the node that has the call.
    expect(new URL(invited.data.ws_url).port).not.toBe(new URL(second.ready.media_url).port);
    const target = { type: 'console', to: 'somebody' };
    const offered = (await (await ask(second, 'handover', { target })).json()) as {
      data: { handover_id: string };
    };
    const cancelled = await ask(second, `handover/${offered.data.handover_id}/cancel`, {});
    expect(cancelled.status).toBe(200);
    expect((await ask(second, 'disposition', { disposition: 'sale' })).status).toBe(200);
    await until('all to be told', () => isTold('handover_started') && isTold('disposition_set'));
  });

  it('refuses what the call refuses, in its own words', async () => {
    const unknown = await ask(second, 'legs/leg_none', {}, 'DELETE');
    const there = await ask(first, 'legs/leg_none', {}, 'DELETE');
    expect(unknown.status).toBe(there.status);
    expect(((await unknown.json()) as { error: object }).error).toEqual(
      ((await there.json()) as { error: object }).error,
    );
  });

  it('carries out there what an inbound hook asks', async () => {
    const actions = [{ type: 'set_disposition', args: { disposition: 'called back' } }];
    const wish = { mapping: { call_id: { pointer: '/call' } }, actions };
    const { id, url } = await second.api<{ id: string; url: string }>('POST', '/inbound-webhooks', wish);
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify({ call: callId }) });
    expect(answer.status).toBe(202);
    const isDone = async (): Promise<unknown> =>
      (await second.api<{ state: string }[]>('GET', `/inbound-webhooks/${id}/deliveries`))[0]?.state;
    await untilFound('the action', isDone, (state) => state === 'done');
  });
});

describe('a call whose node has died', () => {
  it('is unavailable everywhere until its provider comes back, and is then where it came to', async () => {
    process.kill(first.pidOf('node-0'), 'SIGKILL');
    await until('the stream to break', () => caller.closeCode !== undefined);
    const away = await ask(second, 'dtmf', { digits: '1' });
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '1']);
    expect(((await away.json()) as { error: { code: string } }).error.code).toBe('unavailable');
    const next = await TwilioCaller.dial(atHouse(caller.url, second), {}, caller.callSid);
    void next.speak(speech, true);
    await until('the call to go on', () => next.heard.length > 10);
    // Its old host asks the node that took it over, whether or not it has heard of that yet.
    expect((await ask(first, 'dtmf', { digits: '2' })).status).toBe(200);
    expect((await ask(first, 'hangup', {})).status).toBe(200);
    await untilCompleted(hooks, callId);
  });
});
