import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { WireMessage } from '../../src/dialect/dialect.ts';
import { dialectOf } from '../../src/dialect/registry.ts';
import { PCMU_8K } from '../../src/media/format.ts';
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

/** A caller of SignalWire, whose call names are its own. */
async function callAsSignalWire(url: string, callId: string): Promise<{ readonly hangUp: () => void }> {
  const socket = new WebSocket(url);
  await new Promise((resolve) => {
    socket.once('open', resolve);
  });
  const caller = dialectOf('signalwire')!.openCaller({
    nowMs: 0,
    format: PCMU_8K,
    from: '+15550100',
    to: '+15550199',
    parameters: {},
    streamId: 'b2a1c0d9-1234-4abc-9def-0123456789ab',
    callId,
    options: {},
    rtpHeaders: false,
  });
  const say = (messages: readonly WireMessage[]): void => {
    for (const { bytes, isBinary } of messages) socket.send(bytes, { binary: isBinary });
  };
  say(caller.hello());
  return {
    hangUp: () => {
      say(caller.goodbye());
      socket.close();
    },
  };
}

it('sends a caller to a telephone where the provider takes no document: it fetches ours, once', async () => {
  provider.answers = [{ status: 200, body: '{}' }];
  const fresh = await house.api<{ readonly url: string }>('POST', '/voice/stream-credentials', {
    dialect: 'signalwire',
    agent_id: 'echo',
    control: { account: 'project', secret: 'rest-secret', base_url: provider.url },
  });
  const callId = '0d1e2f30-4152-4163-8374-02420aef1020';
  const { hangUp } = await callAsSignalWire(fresh.url, callId);
  let call: Call | undefined;
  while (call === undefined) [call] = await house.api<Call[]>('GET', '/calls?state=active');
  const heardBefore = provider.heard.length;
  await house.api('POST', `/calls/${call.id}/transfer`, { to: '+15550123' });
  const { path, body } = provider.heard[heardBefore]!;
  expect(path).toBe(`/2010-04-01/Accounts/project/Calls/${callId}.json`);
  const told = URL.parse(new URLSearchParams(body).get('Url') ?? '')!;
  // Its public address is not where this house has been put.
  const ours = `${house.ready.api_url}${told.pathname}${told.search}`;
  const [first, second] = [await fetch(ours, { method: 'POST' }), await fetch(ours, { method: 'POST' })];
  expect(await first.text()).toContain('<Dial><Number>+15550123</Number></Dial>');
  expect(second.status).toBe(404);
  hangUp();
  expect(await untilEnded(call.id)).toBe('transferred');
});
