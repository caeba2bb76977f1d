import { afterAll, beforeAll, expect, it } from 'vitest';
import { openProvider, type FakeProvider } from '../providers/control/provider-house.ts';
import { House, until } from './house.ts';
import { TwilioCaller } from './twilio-caller.ts';

interface Call {
  readonly id: string;
}

interface Told {
  readonly type: string;
  readonly resource: { readonly id: string };
  readonly data: { readonly reason?: string };
}

let house: House;
let closeProvider: () => void = () => {};
let provider: FakeProvider;
let credential: { readonly id: string; readonly url: string };

beforeAll(async () => {
  // A resume window as callers have it in earnest: what ends the stream is no guess.
  house = await House.open({ RESUME_WINDOW_MS: '30000' });
  provider = await openProvider((close) => (closeProvider = close));
  credential = await house.api('POST', '/voice/stream-credentials', {
    dialect: 'twilio',
    agent_id: 'echo',
    control: { account: 'AC0', secret: 'rest-secret', base_url: provider.url },
  });
});

afterAll(async () => {
  await house?.close();
  closeProvider();
});

/** A call that has begun, as control knows it. */
async function placeCall(): Promise<{ readonly caller: TwilioCaller; readonly id: string }> {
  const caller = await TwilioCaller.dial(credential.url);
  void caller.speak(Buffer.alloc(160, 0x9a), true);
  await until('the echo', () => caller.heard.length > 0);
  for (;;) {
    const [call] = await house.api<Call[]>('GET', '/calls?state=active');
    if (call !== undefined) return { caller, id: call.id };
  }
}

async function told(callId: string): Promise<readonly Told[]> {
  const events = await house.api<Told[]>('GET', '/events?limit=200');
  return events.filter(({ resource }) => resource.id === callId);
}

async function untilEnded(callId: string): Promise<string | undefined> {
  for (;;) {
    const ended = (await told(callId)).find(({ type }) => type === 'call_ended');
    if (ended !== undefined) return ended.data.reason;
  }
}

const fieldsOf = (body: string): object => Object.fromEntries(new URLSearchParams(body));

it('hangs the telephone call up at Twilio when the call is hung up here', async () => {
  const { caller, id } = await placeCall();
  await house.api('POST', `/calls/${id}/hangup`, {});
  await until('the order', () => provider.heard.length === 1);
  const [{ method, path, headers, body }] = provider.heard as [FakeProvider['heard'][number]];
  expect([method, path]).toEqual(['POST', `/2010-04-01/Accounts/AC0/Calls/${caller.callSid}.json`]);
  expect(headers['authorization']).toBe(`Basic ${Buffer.from('AC0:rest-secret').toString('base64')}`);
  expect(fieldsOf(body)).toEqual({ Status: 'completed' });
  expect(await untilEnded(id)).toBe('api');
});

it('hands the caller over to a telephone, and the call ends as transferred', async () => {
  const { caller, id } = await placeCall();
  const target = { type: 'phone', to: '+15550123' };
  const begun = await house.api('POST', `/calls/${id}/handover`, { target, mode: 'cold', reason: 'asked' });
  expect(begun).toMatchObject({ state: 'offered', target });
  await until('the order', () => provider.heard.length === 2);
  expect(fieldsOf(provider.heard[1]!.body)).toEqual({
    Twiml: '<Response><Dial><Number>+15550123</Number></Dial></Response>',
  });
  caller.hangUp();
  expect(await untilEnded(id)).toBe('transferred');
  expect((await told(id)).map(({ type }) => type)).toContain('handover_started');
  // What Twilio ended needs no hanging up.
  expect(provider.heard.length).toBe(2);
});

it('gives the caller back where Twilio refuses, and says why; without an account nobody is asked', async () => {
  const { caller, id } = await placeCall();
  const target = { type: 'phone', to: '+15550123' };
  provider.answers = [{ status: 401, body: '{"message":"Authenticate"}' }];
  await house.api('POST', `/calls/${id}/handover`, { target, mode: 'cold', reason: 'asked' });
  await until('the order', () => provider.heard.length === 3);
  let failure: Told | undefined;
  while (failure === undefined) failure = (await told(id)).find(({ type }) => type === 'transfer_failed');
  expect(failure.data.reason).toBe('unsupported');

  await house.api('PATCH', `/voice/stream-credentials/${credential.id}`, { control: null });
  const response = await house.fetch('POST', `/calls/${id}/handover`, {
    target,
    mode: 'cold',
    reason: 'asked',
  });
  expect([response.status, provider.heard.length]).toEqual([422, 3]);
  caller.hangUp();
  expect(await untilEnded(id)).toBe('provider_stop');
  expect(house.logged.join('\n')).not.toContain('rest-secret');
});
