import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../fakes/postgres/cluster.ts';
import { queried } from '../fakes/postgres/databases.ts';
import { HookReceiver } from './hooks.ts';
import { House, until } from './house.ts';
import { TwilioCaller } from './twilio-caller.ts';

interface Session {
  readonly call_id: string;
  readonly token: string;
}

// Its own cluster: it is stopped in the middle.
const cluster = new Cluster(mkdtempSync(join(tmpdir(), 'omnivoice-live-')));
const hooks = new HookReceiver();
let house: House;

beforeAll(async () => {
  await cluster.make();
  house = await House.open({ DATABASE_URL: cluster.urlOf('postgres') });
  await hooks.open();
  const endpoint = await house.api<{ secret: string }>('POST', '/webhooks', {
    url: hooks.url,
    events: ['*'],
  });
  hooks.secret = endpoint.secret;
});

afterAll(async () => {
  await house?.close();
  await hooks.kill();
  await cluster.remove();
});

function openSession(): Promise<Session> {
  return house.api<Session>('POST', '/voice/sessions', { agent_id: 'echo' });
}

async function call({ token }: Session): Promise<void> {
  const caller = await TwilioCaller.dial(`${house.ready.media_url}/media/twilio/${token}`);
  await caller.speak(Buffer.alloc(1_600, 0xff));
  caller.hangUp();
}

/** The whole story of a call as hooks told it, once it is told. */
async function toldOf({ call_id: callId }: Session): Promise<readonly number[]> {
  await until('call_analyzed', () =>
    hooks.firstArrivals(callId).some(({ type }) => type === 'call_analyzed'),
  );
  return hooks.firstArrivals(callId).map(({ sequence }) => sequence);
}

describe('a house on PostgreSQL', () => {
  it('tells a call to a hook, and keeps it there and nowhere else', async () => {
    const session = await openSession();
    await call(session);
    const told = await toldOf(session);
    expect(told).toEqual(told.map((_, index) => index + 1));
    expect(hooks.unverified).toEqual([]);
    expect(await house.api('GET', `/calls/${session.call_id}`)).toMatchObject({ state: 'ended' });
    const rows = await queried(
      cluster.urlOf('postgres'),
      `select count(*)::int4 as n from events where resource_id = '${session.call_id}'`,
    );
    expect(rows).toEqual([{ n: told.length }]);
  });

  it('takes a call while the database is away, and tells it when it is back', async () => {
    const session = await openSession();
    const control = house.pidOf('control');
    await cluster.stop('immediate');
    await call(session);
    expect(hooks.firstArrivals(session.call_id)).toEqual([]);
    await cluster.start();
    const told = await toldOf(session);
    expect(told).toEqual(told.map((_, index) => index + 1));
    expect(house.pidOf('control')).toBe(control);
    const metrics = await fetch(`${house.ready.api_url}/metrics`, {
      headers: { authorization: `Bearer ${house.key}` },
    });
    expect(await metrics.text()).toMatch(/limit="database_connections_lost"[^\n]* [1-9]/);
  });
});
