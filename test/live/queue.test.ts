import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.ts';
import { Guest, type Ticket } from './guest.ts';
import { freeRun, House, until } from './house.ts';
import { Member } from './queue-member.ts';
import { TwilioCaller } from './twilio-caller.ts';

const TARGET_CODE = 0x80;
const FRAMES = 50;

const seen = new Set<string>();
let house: House;
beforeAll(async () => {
  // Control that is started anew is found where it was.
  house = await House.open({ PORT: String(await freeRun(1)) });
});
afterAll(() => house?.close());

const wsUrl = (path: string): string => `${house.ready.api_url.replace(/^http/, 'ws')}/api/v1${path}`;

async function openCall(): Promise<{ caller: TwilioCaller; callId: string }> {
  const { url } = await house.api<{ url: string }>('POST', '/voice/stream-credentials', {
    dialect: 'twilio',
  });
  const caller = await TwilioCaller.dial(url);
  void caller.speak(Buffer.alloc(160, 0xff), true);
  for (;;) {
    const calls = await house.api<{ id: string }[]>('GET', '/calls?state=active');
    const fresh = calls.find(({ id }) => !seen.has(id));
    if (fresh === undefined) continue;
    seen.add(fresh.id);
    return { caller, callId: fresh.id };
  }
}

it('offers a call to two members: one declines, the other accepts, and the caller hears it', async () => {
  const { caller, callId } = await openCall();
  const key = { authorization: `Bearer ${house.key}` };
  const ann = await Member.join(wsUrl('/queues/sales/ws?label=Ann'), key);
  const { ticket } = await house.api<{ ticket: string }>('POST', '/queues/ticket');
  const bob = await Member.join(wsUrl(`/queues/sales/ws?label=Bob&ticket=${ticket}`));
  for (const member of [ann, bob]) {
    expect(await member.hears('joined')).toMatchObject({ queue: 'sales', state: 'away' });
    member.say({ type: 'ready' });
    await member.hears('state');
  }
  const target = { type: 'queue', to: 'sales' };
  await house.api('POST', `/calls/${callId}/handover`, { target, reason: 'asked for a human' });
  const offer = await ann.hears('offer');
  expect(offer).toMatchObject({ call_id: callId, mode: 'cold', reason: 'asked for a human' });
  expect(await house.api('GET', '/queues')).toMatchObject([
    {
      name: 'sales',
      members: [
        { label: 'Ann', state: 'offered' },
        { label: 'Bob', state: 'ready' },
      ],
    },
  ]);
  ann.say({ type: 'decline', offer_id: offer['offer_id'] });
  const { offer_id } = await bob.hears('offer');
  bob.say({ type: 'accept', offer_id });
  const accepted = await bob.hears('accepted');
  expect(accepted).toMatchObject({ call_id: callId, handover_id: offer['handover_id'] });
  const human = await Guest.join(accepted['join'] as Ticket);
  await human.speak((index) => Buffer.alloc(160, TARGET_CODE + index), FRAMES);
  await until('the success', () => human.events.includes('transfer_success'));
  const heard = caller.heard.map((frame) => frame[80]! - TARGET_CODE).filter((n) => n >= 0 && n < FRAMES);
  await until('the last word', () => caller.heard.some((frame) => frame[80] === TARGET_CODE + FRAMES - 1));
  expect(heard[0]).toBe(0);
  const { data } = await lookAt('sales');
  expect(data).toMatchObject({ waiting: [] });
  const metrics = await (await fetch(`${house.ready.api_url}/metrics`)).text();
  expect(metrics).toContain('queue_offers_unanswered');
  ann.leave();
  bob.say({ type: 'nonsense' });
  expect(await bob.hears('error')).toMatchObject({ code: 'invalid_argument' });
  bob.leave();
  caller.hangUp();
  await until('the end', () => caller.closeCode !== undefined);
});

it('has what waited when control was killed offered to members that come back', async () => {
  const { caller, callId } = await openCall();
  const key = { authorization: `Bearer ${house.key}` };
  const target = { type: 'queue', to: 'support' };
  await house.api('POST', `/calls/${callId}/handover`, { target, timeout_ms: 60_000, hold: 'silence' });
  const before = house.pidOf('control');
  process.kill(before, 'SIGKILL');
  await until('another control', () => house.pidOf('control') !== before);
  const member = await comeBack(wsUrl('/queues/support/ws'), key);
  member.say({ type: 'ready' });
  const { offer_id } = await member.hears('offer');
  member.say({ type: 'accept', offer_id });
  const accepted = await member.hears('accepted');
  expect(accepted).toMatchObject({ call_id: callId });
  const human = await Guest.join(accepted['join'] as Ticket);
  await human.speak((index) => Buffer.alloc(160, TARGET_CODE + index), FRAMES);
  await until('the success', () => human.events.includes('transfer_success'));
  member.leave();
  caller.hangUp();
  await until('the end', () => caller.closeCode !== undefined);
});

async function comeBack(url: string, headers: Record<string, string>): Promise<Member> {
  for (;;) {
    try {
      return await Member.join(url, headers);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

it('lets nobody in without a key, and ends a member that says too much or no JSON', async () => {
  await expect(Member.join(wsUrl('/queues/sales/ws'))).rejects.toThrow('401');
  const key = { authorization: `Bearer ${house.key}` };
  const garbled = await Member.join(wsUrl('/queues/sales/ws'), key);
  garbled.say(['no', 'object']);
  await until('its end', () => garbled.closeCode !== undefined);
  expect(garbled.closeCode).toBe(4400);
  const chatty = await Member.join(wsUrl('/queues/sales/ws'), key);
  for (let i = 0; i < 40; i++) chatty.say({ type: 'ready' });
  await until('its end', () => chatty.closeCode !== undefined);
  expect(chatty.closeCode).toBe(4429);
});

async function lookAt(name: string): Promise<{ data: JsonObject }> {
  return { data: await house.api<JsonObject>('GET', `/queues/${name}`) };
}
