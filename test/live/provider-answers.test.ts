import { connect, createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import twilio from 'twilio';
import { House } from './house.ts';
import { TwilioCaller } from './twilio-caller.ts';
import { until } from '../fakes/until.ts';

const FORM = { CallSid: 'CA0', From: '+15550100', To: '+15550199' };
const TOKEN = 'an auth token';

interface Fresh {
  readonly answer_url: string;
  readonly status_url: string;
}
type Calls = readonly { readonly id: string; readonly state: string; readonly from: string }[];

/** A TwiML document as Twilio reads it. */
interface Twiml {
  readonly streams: readonly string[];
  readonly parameters: { readonly [name: string]: string };
  readonly again: string;
  readonly hangsUp: boolean;
}

let house: House;
let audioSocketPort: number;

beforeAll(async () => {
  audioSocketPort = await freePort();
  // The URLs it hands out name its port.
  const settings = {
    PORT: String(await freePort()),
    RESUME_WINDOW_MS: '10000',
    AUDIOSOCKET_PORT: String(audioSocketPort),
  };
  house = await House.open(settings);
});
afterAll(() => house?.close());

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Asks as Twilio does: a form, signed for the URL it goes to. */
async function asTwilio(url: string, more: object = {}): Promise<Response> {
  const form = { ...FORM, ...more };
  const signature = twilio.getExpectedTwilioSignature(TOKEN, url, form);
  const body = new URLSearchParams(form);
  return fetch(url, { method: 'POST', body, headers: { 'x-twilio-signature': signature } });
}

async function documentAt(url: string): Promise<Twiml> {
  const text = (await (await asTwilio(url)).text()).replaceAll('&amp;', '&');
  const [first = ''] = text.split('</Connect>');
  const parameters = [...first.matchAll(/<Parameter name="([^"]*)" value="([^"]*)"/g)];
  return {
    streams: [...text.matchAll(/<Stream url="([^"]*)"/g)].map(([, found = '']) => found),
    parameters: Object.fromEntries(parameters.map(([, name, value]) => [name, value])) as Twiml['parameters'],
    again: /<Redirect[^>]*>([^<]*)</.exec(text)?.[1] ?? '',
    hangsUp: text.includes('<Response><Hangup/></Response>'),
  };
}

const calls = (): Promise<Calls> => house.api<Calls>('GET', '/calls');

it('brings a lost stream back to its call, and hangs up once the call is over', async () => {
  const wish = { dialect: 'twilio', agent_id: 'echo' };
  const open = await house.api<Fresh>('POST', '/voice/stream-credentials', wish);
  const first = await documentAt(open.answer_url);
  expect(first.parameters).toEqual({ from: '+15550100', to: '+15550199' });
  const caller = await TwilioCaller.dial(first.streams[0]!, first.parameters);
  await until(async () => (await calls()).length === 1);
  caller.vanish();

  const second = await documentAt(first.again);
  const [call] = await calls();
  expect(second.parameters['resumes']).toBe(call?.id);
  const again = await TwilioCaller.dial(second.streams[1]!, second.parameters);
  void again.speak(Buffer.alloc(160, 0x55), true);
  await until(async () => again.heard.length > 0);
  expect(await calls()).toMatchObject([{ id: call?.id, state: 'active', from: '+15550100' }]);

  expect((await asTwilio(open.status_url, { CallStatus: 'completed' })).status).toBe(204);
  await until(async () => (await calls())[0]?.state === 'ended');
  expect((await documentAt(second.again)).hangsUp).toBe(true);
  // A document that was on its way when the call ended puts nobody through again.
  const late = await TwilioCaller.dial(second.streams[0]!, second.parameters);
  await until(async () => late.closeCode !== undefined);
  expect([late.closeCode, (await calls()).length]).toEqual([4404, 1]);
});

it('answers nobody who has not signed, where the credential has a token', async () => {
  const wish = { dialect: 'twilio', agent_id: 'echo', verify: { auth_token: TOKEN } };
  const fresh = await house.api<Fresh>('POST', '/voice/stream-credentials', wish);
  expect((await asTwilio(fresh.answer_url)).status).toBe(200);
  const stripped = await fetch(fresh.answer_url, { method: 'POST', body: new URLSearchParams(FORM) });
  expect(stripped.status).toBe(403);
});

it('counts what AudioSocket’s door refused', async () => {
  const socket = connect(audioSocketPort, '127.0.0.1');
  const closed = new Promise((resolve) => {
    socket.once('close', resolve);
  });
  socket.on('error', () => {});
  // The UUID of no session: kind, length, sixteen bytes.
  socket.write(Buffer.concat([Buffer.from([1, 0, 16]), Buffer.alloc(16, 7)]));
  socket.resume();
  await closed;
  const metrics = await (await fetch(`${house.ready.api_url}/metrics`)).text();
  expect(metrics).toMatch(/limit="audiosocket_wrong_uuid"[^}]*\} 1\n/);
});
