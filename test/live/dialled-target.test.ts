import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import type { JsonObject } from '../../src/base/json.ts';
import { House, until } from './house.ts';
import { TwilioCaller } from './twilio-caller.ts';

const TARGET_FRAME = Buffer.alloc(160, 0x90);

let house: House;
let desk: WebSocketServer;
/** What the desk was told, and how often it was dialled. */
const told: JsonObject[] = [];
const seen = new Set<string>();
beforeAll(async () => {
  house = await House.open();
  desk = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'omnivoice.v1' });
  desk.on('connection', (socket) => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) return;
      const words = JSON.parse(data.toString()) as JsonObject;
      told.push(words);
      if (words['type'] !== 'start') return;
      socket.send(JSON.stringify({ type: 'started' }));
      for (let sent = 0; sent < 50; sent++) socket.send(TARGET_FRAME);
    });
  });
});
afterAll(async () => {
  desk?.close();
  await house?.close();
});

async function openCall(): Promise<{ caller: TwilioCaller; callId: string }> {
  const made = { dialect: 'twilio', agent_id: 'silent' };
  const { url } = await house.api<{ url: string }>('POST', '/voice/stream-credentials', made);
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

async function outcomeOf(callId: string): Promise<JsonObject> {
  for (;;) {
    const path = `/events?call_id=${callId}&types=transfer_success,transfer_failed`;
    const [event] = await house.api<{ type: string; data: JsonObject }[]>('GET', path);
    if (event !== undefined) return { ...event.data, type: event.type };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

it('dials who is to have the caller, who is heard from the first frame', async () => {
  const { caller, callId } = await openCall();
  const { port } = desk.address() as { port: number };
  const target = { type: 'ws', to: `ws://127.0.0.1:${port}/desk` };
  await house.api('POST', `/calls/${callId}/handover`, { target, hold: 'silence', reason: 'a human' });
  expect(await outcomeOf(callId)).toMatchObject({ type: 'transfer_success', target });
  const isTarget = (frame: Buffer): boolean => frame[80] === TARGET_FRAME[0];
  await until('its last word', () => caller.heard.filter(isTarget).length >= 50);
  expect(caller.heard.filter(isTarget)).toHaveLength(50);
  expect(JSON.stringify(told[0])).toContain('a human');
  caller.hangUp();
  await until('the end', () => caller.closeCode !== undefined);
});

it('reaches no address that the guard forbids, and the caller is back', async () => {
  const { caller, callId } = await openCall();
  const target = { type: 'ws', to: 'ws://169.254.169.254/latest' };
  await house.api('POST', `/calls/${callId}/handover`, { target, hold: 'silence' });
  expect(await outcomeOf(callId)).toMatchObject({ type: 'transfer_failed', reason: 'unreachable' });
  caller.hangUp();
  await until('the end', () => caller.closeCode !== undefined);
});
