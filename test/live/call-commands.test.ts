import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { JsonObject } from '../../src/base/json.ts';
import { writeWav } from '../../src/media/wav.ts';
import { House, until } from './house.ts';
import { TwilioCaller } from './twilio-caller.ts';

let house: House;
let caller: TwilioCaller;
let callId: string;

/** One of `omnivoice.v1` that came in by an invitation, written from docs/protocol.md alone. */
class Guest {
  readonly told: JsonObject[] = [];
  audioBytes = 0;
  legId = '';
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.audioBytes += data.length;
      else this.told.push(JSON.parse(data.toString()) as JsonObject);
    });
  }

  static async join({ ws_url, token }: { ws_url: string; token: string }): Promise<Guest> {
    const socket = new WebSocket(ws_url, ['omnivoice.v1', token]);
    const guest = new Guest(socket);
    await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
    guest.say({ type: 'start', events: true });
    await until('started', () => guest.told.some(({ type }) => type === 'started'));
    guest.legId = String(guest.told.find(({ type }) => type === 'started')!['leg_id']);
    return guest;
  }

  say(words: object): void {
    this.#socket.send(JSON.stringify(words));
  }

  get events(): readonly string[] {
    return this.told
      .filter(({ type }) => type === 'event')
      .map(({ event }) => String((event as JsonObject)['type']));
  }

  result(id: string): JsonObject | undefined {
    return this.told.find((message) => message['type'] === 'result' && message['id'] === id);
  }
}

const ask = <T>(path: string, body: object, method = 'POST'): Promise<T> =>
  house.api<T>(method, `/calls/${callId}/${path}`, body);

/** The call, once control has heard of it. */
async function findCall(): Promise<string> {
  for (;;) {
    const [call] = await house.api<{ id: string }[]>('GET', '/calls?state=active');
    if (call !== undefined) return call.id;
  }
}

beforeAll(async () => {
  house = await House.open();
  const made = { dialect: 'twilio', agent_id: 'echo' };
  const { url } = await house.api<{ url: string }>('POST', '/voice/stream-credentials', made);
  caller = await TwilioCaller.dial(url);
  void caller.speak(Buffer.alloc(160, 0x9a), true);
  await until('the echo', () => caller.heard.length > 0);
  callId = await findCall();
});

afterAll(() => house?.close());

describe('commands to a live call, from REST to the wire and back', () => {
  it('bring a supervisor in by an invitation, who hears, changes its mode and commands in-band', async () => {
    const ticket = await ask<{ ws_url: string; token: string }>('legs', { role: 'supervisor' });
    const boss = await Guest.join(ticket);
    await until('sound', () => boss.audioBytes > 10 * 160);
    await expect(Guest.join(ticket)).rejects.toThrow('401');
    expect(await ask(`legs/${boss.legId}`, { mode: 'barge' }, 'PATCH')).toEqual({
      leg_id: boss.legId,
      mode: 'barge',
    });
    await until('the change', () => boss.events.includes('supervisor_left'));
    boss.say({ type: 'command', id: 'c-1', name: 'set_disposition', args: { disposition: 'sale' } });
    await until('the result', () => boss.result('c-1') !== undefined);
    expect(boss.result('c-1')).toMatchObject({ ok: true, value: { disposition: 'sale', by: 'api' } });
    expect(await ask(`legs/${boss.legId}`, {}, 'DELETE')).toEqual({ leg_id: boss.legId });
    await until('its end', () => boss.told.some(({ type }) => type === 'ended'));
  });

  it('play a file of the operator’s, and hold music, and the echo is as before', async () => {
    mkdirSync(join(house.dataDir, 'sounds'), { recursive: true });
    const tone = Int16Array.from({ length: 8000 }, (_, i) => 8000 * Math.sin((2 * Math.PI * 440 * i) / 8000));
    writeFileSync(join(house.dataDir, 'sounds', 'hello.wav'), writeWav(tone, 8000));
    const { playback_id } = await ask<{ playback_id: string }>('play', { url: 'file:hello.wav' });
    expect(playback_id).toMatch(/^play_/);
    const echoed = Buffer.alloc(160, 0x9a);
    await until('another sound', () => !caller.heard.at(-1)!.equals(echoed));
    await until('the echo again', () => caller.heard.slice(-5).every((frame) => frame.equals(echoed)));
    expect(await ask('hold', { on: true })).toEqual({ on: true, source: 'music' });
    await until('music', () => !caller.heard.at(-1)!.equals(echoed));
    expect(await ask('hold', { on: false })).toEqual({ on: false, source: null });
    await until('the echo again', () => caller.heard.slice(-5).every((frame) => frame.equals(echoed)));
  });

  it('are refused by what is missing', async () => {
    const statusOf = async (path: string, body: object) => (await house.fetch('POST', path, body)).status;
    expect(await statusOf(`/calls/${callId}/transfer`, { to: '+15550123' })).toBe(422);
    expect(await statusOf(`/calls/${callId}/mute`, { leg_id: 'leg_none', on: true })).toBe(404);
    expect(await statusOf(`/calls/${callId}/play`, { url: 'http://169.254.169.254/x' })).toBe(422);
    expect(await statusOf('/calls/call_none/hold', { on: true })).toBe(404);
    expect(await ask('hangup', {})).toMatchObject({ state: 'ending' });
    await until('the end', () => caller.closeCode !== undefined);
    expect(await statusOf(`/calls/${callId}/hold`, { on: true })).toBe(422);
  });
});
