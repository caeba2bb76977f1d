import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Envelope } from '../../src/events/envelope.ts';
import { House } from './house.ts';
import { TwilioCaller } from './twilio-caller.ts';

let house: House;
let url: string;

beforeAll(async () => {
  house = await House.open({ COST_RATES: 'inbound=0.0125' });
  const made = { dialect: 'twilio', agent_id: 'silent' };
  ({ url } = await house.api<{ url: string }>('POST', '/voice/stream-credentials', made));
});

afterAll(() => house?.close());

/** Waits until a request answers what is waited for; control may be away meanwhile. */
async function askedUntil<T>(path: string, isThere: (answer: T) => boolean): Promise<T> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const answer = await house.api<T>('GET', path).catch(() => undefined);
    if (answer !== undefined && isThere(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited in vain for ${path}`);
}

const typesOf = (events: readonly Envelope[]): readonly string[] => events.map(({ type }) => type);

describe('a call that is over, in a house whose control is killed', () => {
  it('is analysed once, by its schema; its transcript is read, and all of it erased', async () => {
    const caller = await TwilioCaller.dial(url);
    await caller.speak(Buffer.alloc(8_000, 0x20));
    const [call] = await askedUntil<{ id: string }[]>('/calls?state=active', (calls) => calls.length === 1);
    const { id } = call!;
    const segments = [
      {
        speaker: 'caller',
        text: 'My order is late and I am not happy with it at all.',
        start_ms: 0,
        end_ms: 900,
      },
    ];
    await house.api('POST', `/calls/${id}/transcript`, { segments });
    caller.hangUp();
    await askedUntil<Envelope[]>(`/events?call_id=${id}&limit=200`, (events) => events.length > 4);
    process.kill(house.pidOf('control'), 'SIGKILL');
    const isAnalysed = (events: Envelope[]): boolean => typesOf(events).includes('call_analyzed');
    await askedUntil(`/events?call_id=${id}&limit=200`, isAnalysed);
    const events = await house.api<Envelope[]>('GET', `/events?call_id=${id}&limit=200`);
    expect(typesOf(events).slice(-4)).toEqual([
      'call_ended',
      'call_completed',
      'transcript_complete',
      'call_analyzed',
    ]);
    expect(typesOf(events).filter((type) => type === 'call_analyzed')).toHaveLength(1);

    const schema = await fetch(`${house.ready.api_url}/api/v1/schemas/post-call.json`);
    const isPostCall = new Ajv2020({ strict: false, validateFormats: false }).compile(
      (await schema.json()) as object,
    );
    for (const { data } of events.filter(({ type }) => /completed|analyzed/.test(type))) {
      isPostCall(data);
      expect(isPostCall.errors ?? []).toEqual([]);
    }
    expect(events.at(-1)!.data).toMatchObject({
      cost: { amount: '0.0125', currency: 'EUR', minutes: 1 },
      sentiment: { method: 'afinn-165', label: 'negative' },
      summary: { method: 'lexrank' },
    });

    const told = await house.api<{ segments: object[] }>('GET', `/calls/${id}/transcript`);
    expect(told.segments).toMatchObject(segments);
    expect(await house.api('DELETE', `/calls/${id}`)).toEqual({ id, erased: true });
    const left = JSON.stringify(await house.api('GET', `/events?call_id=${id}&limit=200`));
    expect(left).not.toContain('order');
    expect(await house.api('GET', `/calls/${id}`)).toMatchObject({ id, from: null, to: null });
    expect((await house.fetch('GET', `/calls/${id}/transcript`)).status).toBe(404);
  });
});
