import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../fakes/postgres/cluster.ts';
import { Guest, type Ticket } from './guest.ts';
import { House, until } from './house.ts';
import { Member } from './queue-member.ts';
import { TwilioCaller } from './twilio-caller.ts';

// Two whole houses on a cluster of their own.
const LONG = process.env['OMNIVOICE_TEST_LONG'] !== undefined;
const TARGET_CODE = 0x80;
const FRAMES = 25;

describe.runIf(LONG)('a queue of two houses that share a database', () => {
  const cluster = new Cluster(mkdtempSync(join(tmpdir(), 'omnivoice-live-')));
  const houses: House[] = [];

  beforeAll(async () => {
    await cluster.make();
    const settings = {
      DATABASE_URL: cluster.urlOf('postgres'),
      SIGNING_SECRET: 'of both '.repeat(8),
      // What one writes to the other is sealed.
      ENCRYPTION_KEYS: `both:${Buffer.alloc(32, 7).toString('base64')}`,
    };
    houses.push(await House.open(settings));
    houses.push(await House.open(settings));
  });

  afterAll(async () => {
    for (const house of houses) await house.close();
    await cluster.remove();
  });

  it('gives a caller of either to a member at the other', async () => {
    const { key } = houses[0]!;
    for (const [host, other] of [houses, houses.toReversed()] as readonly (readonly House[])[]) {
      const { ws } = apiOf(other!);
      const member = await Member.join(`${ws}/queues/sales/ws`, { authorization: `Bearer ${key}` });
      member.say({ type: 'ready' });
      await member.hears('state');
      const caller = await callTo(houses[0]!, host!);
      const callId = await callIdAt(host!, key);
      const target = { type: 'queue', to: 'sales' };
      await answerOf(`${apiOf(host!).http}/calls/${callId}/handover`, key, { target });
      const { offer_id } = await member.hears('offer');
      member.say({ type: 'accept', offer_id });
      const accepted = await member.hears('accepted');
      expect(accepted).toMatchObject({ call_id: callId });
      const human = await Guest.join(accepted['join'] as Ticket);
      await human.speak((index) => Buffer.alloc(160, TARGET_CODE + index), FRAMES);
      await until('the success', () => human.events.includes('transfer_success'));
      await until('its voice', () => caller.heard.some((frame) => frame[80] === TARGET_CODE + FRAMES - 1));
      member.leave();
      caller.hangUp();
      await until('the end', () => caller.closeCode !== undefined);
    }
  }, 120_000);
});

function apiOf({ ready: { api_url: url } }: House): { readonly http: string; readonly ws: string } {
  return { http: `${url}/api/v1`, ws: `${url.replace(/^http/, 'ws')}/api/v1` };
}

async function callTo(first: House, host: House): Promise<TwilioCaller> {
  const { url } = await answerOf<{ url: string }>(
    `${apiOf(first).http}/voice/stream-credentials`,
    first.key,
    { dialect: 'twilio' },
  );
  const { pathname } = new URL(url);
  const caller = await dialled(`${host.ready.media_url}${pathname}`);
  void caller.speak(Buffer.alloc(160, 0xff), true);
  return caller;
}

/** A credential that was made at one host is known at the other a moment later. */
async function dialled(url: string): Promise<TwilioCaller> {
  for (let tries = 0; ; tries++) {
    try {
      return await TwilioCaller.dial(url);
    } catch (error) {
      if (tries === 100) throw error;
    }
  }
}

async function callIdAt(host: House, key: string): Promise<string> {
  for (;;) {
    const calls = await answerOf<{ id: string }[]>(`${apiOf(host).http}/calls?state=active`, key);
    if (calls[0] !== undefined) return calls[0].id;
  }
}

async function answerOf<T>(url: string, key: string, body?: object): Promise<T> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as { readonly data: T };
  if (!response.ok) throw new Error(`${url}: ${JSON.stringify(answer)}`);
  return answer.data;
}
