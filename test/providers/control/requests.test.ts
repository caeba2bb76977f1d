import { createVerify, generateKeyPairSync } from 'node:crypto';
import plivo from 'plivo';
import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import type { ProviderOrder } from '../../../src/events/asks.ts';
import { openProvider, ProviderHouse, type HeardRequest } from './provider-house.ts';

const STREAM_URL = 'wss://media.example.com/media/twilio/r~1?a=1&b=2';
const ANSWER_URL = 'https://voice.example.com/api/v1/voice/answer/x/y';
const HANG_UP: ProviderOrder = { action: 'hang_up' };
const TRANSFER: ProviderOrder = { action: 'transfer', to: '+15550123', from: null };
const REDIRECT: ProviderOrder = { action: 'redirect', to: { streamUrl: STREAM_URL } };
const REDIRECT_TO_ANSWER: ProviderOrder = {
  action: 'redirect',
  to: { streamUrl: STREAM_URL, answerUrl: ANSWER_URL },
};

/** What one order comes to at a provider, as it came over the wire. */
async function requestOf(
  dialect: string,
  order: ProviderOrder,
  account: { readonly account: string; readonly secret: string },
  callId: string,
): Promise<HeardRequest> {
  const provider = await openProvider();
  const house = new ProviderHouse({ dialect, control: { ...account, base_url: provider.url } });
  const refusal = await house.carriesOut(order, callId);
  expect([refusal, provider.heard.length]).toEqual([undefined, 1]);
  return provider.heard[0]!;
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function form(body: string): { readonly [name: string]: string } {
  return Object.fromEntries(new URLSearchParams(body));
}

describe('Twilio', () => {
  const account = { account: 'AC0123456789abcdef0123456789abcdef', secret: 'token' };
  const CALL = 'CA0123456789abcdef0123456789abcdef';
  const ask = (order: ProviderOrder): Promise<HeardRequest> => requestOf('twilio', order, account, CALL);

  /** The official client against a server of ours, whatever host it means to ask. */
  async function byTheSdk(change: object): Promise<HeardRequest> {
    const provider = await openProvider();
    const client = twilio(account.account, account.secret);
    const api = client.api as unknown as { baseUrl: string };
    api.baseUrl = provider.url;
    await client.calls(CALL).update(change);
    return provider.heard[0]!;
  }

  it.each([
    ['hangs up', HANG_UP, { status: 'completed' }],
    ['transfers', TRANSFER, { twiml: '<Response><Dial><Number>+15550123</Number></Dial></Response>' }],
    [
      'streams elsewhere',
      REDIRECT,
      {
        twiml:
          '<Response><Connect>' +
          '<Stream url="wss://media.example.com/media/twilio/r~1?a=1&#38;b=2"/></Connect></Response>',
      },
    ],
    ['asks for another document', REDIRECT_TO_ANSWER, { url: ANSWER_URL, method: 'POST' }],
  ] as const)('%s with the very request of its own client', async (_, order, change) => {
    const [ours, theirs] = [await ask(order), await byTheSdk(change)];
    const told = ({ method, path, headers, body }: HeardRequest): object => ({
      method,
      path,
      authorization: headers['authorization'],
      type: headers['content-type'],
      fields: form(body),
    });
    expect(told(ours)).toEqual(told(theirs));
    expect(ours.path).toBe(`/2010-04-01/Accounts/${account.account}/Calls/${CALL}.json`);
  });

  it('shows a caller id where one is given, and dials SIP as SIP, both escaped', async () => {
    const order = { action: 'transfer', to: 'sip:a&b@example.com', from: '+1"555' } as const;
    const { body } = await ask(order);
    expect(form(body)['Twiml']).toBe(
      '<Response><Dial callerId="+1&#34;555"><Sip>sip:a&#38;b@example.com</Sip></Dial></Response>',
    );
  });
});

describe('SignalWire', () => {
  const account = { account: 'project', secret: 'token' };

  it('takes the requests of its compatible API, and a document by URL only', async () => {
    const { method, path, headers, body } = await requestOf('signalwire', HANG_UP, account, 'CA1');
    expect([method, path]).toEqual(['POST', '/2010-04-01/Accounts/project/Calls/CA1.json']);
    expect([headers['authorization'], form(body)]).toEqual([
      basic('project', 'token'),
      { Status: 'completed' },
    ]);
    const redirected = await requestOf('signalwire', REDIRECT_TO_ANSWER, account, 'CA1');
    expect(form(redirected.body)).toEqual({ Url: ANSWER_URL, Method: 'POST' });
  });

  it('has no address of its own, and no inline document', async () => {
    const nowhere = new ProviderHouse({ dialect: 'signalwire', control: account });
    const control = { ...account, base_url: 'http://127.0.0.1:9' };
    const somewhere = new ProviderHouse({ dialect: 'signalwire', control });
    for (const refusal of [
      await nowhere.carriesOut(HANG_UP, 'CA1'),
      await somewhere.carriesOut(REDIRECT, 'CA1'),
    ]) {
      expect(refusal).toMatchObject({ fault: 'failed_precondition' });
    }
  });
});

describe('Telnyx', () => {
  const CALL = 'v3:KBnLO0ZK3DhKM5s7bE9VluaSmKsOchKht_fUYvxcp8ysbmzCCtpkmA';
  const ask = (order: ProviderOrder): Promise<HeardRequest> =>
    requestOf('telnyx', order, { account: 'connection', secret: 'KEY' }, CALL);

  it.each([
    ['hangup', HANG_UP, {}],
    ['transfer', TRANSFER, { to: '+15550123' }],
    [
      'streaming_start',
      REDIRECT,
      { stream_url: STREAM_URL, stream_track: 'inbound_track', stream_bidirectional_mode: 'rtp' },
    ],
  ] as const)('is told %s by a call command', async (action, order, own) => {
    const { method, path, headers, body } = await ask(order);
    expect([method, path]).toEqual(['POST', `/v2/calls/${CALL}/actions/${action}`]);
    expect([headers['authorization'], headers['content-type']]).toEqual(['Bearer KEY', 'application/json']);
    expect(JSON.parse(body)).toEqual({ ...own, command_id: expect.stringMatching(/^[0-9a-f]{32}$/) });
  });

  it('is told to stream the sound it has', async () => {
    const l16 = { codec: 'l16', sampleRateHz: 16_000 };
    const to = {
      streamUrl: STREAM_URL,
      audio: { heard: { codec: 'g722', sampleRateHz: 16_000 }, said: l16 },
    };
    expect(JSON.parse((await ask({ action: 'redirect', to })).body)).toMatchObject({
      stream_codec: 'G722',
      stream_bidirectional_codec: 'L16',
      stream_bidirectional_sampling_rate: 16_000,
    });
  });

  it('is told the same order by the same name, and another by another', async () => {
    const idOf = async (order: ProviderOrder): Promise<unknown> =>
      (JSON.parse((await ask(order)).body) as { command_id: string }).command_id;
    const ids = [await idOf(HANG_UP), await idOf(HANG_UP), await idOf(REDIRECT)];
    expect([ids[0] === ids[1], ids[1] === ids[2]]).toEqual([true, false]);
  });
});

describe('Vonage', () => {
  const CALL = '63f61863-4a51-4f6b-86e1-46edebcf9356';
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const ask = (order: ProviderOrder): Promise<HeardRequest> =>
    requestOf('vonage', order, { account: 'app-id', secret: privateKey }, CALL);

  it.each([
    ['hangs up', HANG_UP, { action: 'hangup' }],
    [
      'transfers to a number without its plus',
      TRANSFER,
      {
        action: 'transfer',
        destination: {
          type: 'ncco',
          ncco: [{ action: 'connect', endpoint: [{ type: 'phone', number: '15550123' }] }],
        },
      },
    ],
    [
      'streams elsewhere',
      REDIRECT,
      {
        action: 'transfer',
        destination: {
          type: 'ncco',
          ncco: [
            {
              action: 'connect',
              endpoint: [
                {
                  type: 'websocket',
                  uri: STREAM_URL,
                  'content-type': 'audio/l16;rate=16000',
                  headers: { 'call-id': CALL },
                  authorization: { type: 'vonage' },
                },
              ],
            },
          ],
        },
      },
    ],
    [
      'asks for another document',
      REDIRECT_TO_ANSWER,
      { action: 'transfer', destination: { type: 'ncco', url: [ANSWER_URL] } },
    ],
  ] as const)('%s', async (_, order, expected) => {
    const { method, path, body } = await ask(order);
    expect([method, path, JSON.parse(body)]).toEqual(['PUT', `/v1/calls/${CALL}`, expected]);
  });

  it('gets a token of the application, signed by its key, for a minute', async () => {
    const { headers } = await ask(HANG_UP);
    const [head = '', claims = '', signature = ''] = headers['authorization']!.replace('Bearer ', '').split(
      '.',
    );
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    expect(read(head)).toEqual({ alg: 'RS256', typ: 'JWT' });
    const { application_id, iat, exp, jti } = read(claims) as { [name: string]: string & number };
    expect([application_id, exp! - iat!, typeof jti]).toEqual(['app-id', 60, 'string']);
    const verifier = createVerify('RSA-SHA256').update(`${head}.${claims}`);
    expect(verifier.verify(publicKey, signature, 'base64url')).toBe(true);
  });

  it('is not asked where the secret is no key, which is not quoted either', async () => {
    const house = new ProviderHouse({ dialect: 'vonage', control: { account: 'app', secret: 'not-a-key' } });
    const refusal = await house.carriesOut(HANG_UP, CALL);
    expect(refusal).toMatchObject({ fault: 'failed_precondition' });
    expect(JSON.stringify([refusal, house.lines])).not.toContain('not-a-key');
  });
});

describe('Plivo', () => {
  const account = { account: 'MAXXXXXXXXXXXXXXXXXX', secret: 'token' };
  const CALL = '10c94053-73b4-46fe-b74a-12159d1d3d60';

  interface SdkRequest {
    readonly method: string;
    readonly action: string;
    readonly params: { readonly [name: string]: unknown };
  }

  /** What the official client asks for; its own wire knows one host only, so it ends before that. */
  async function byTheSdk(use: (client: plivo.Client) => Promise<unknown>): Promise<SdkRequest> {
    const client = new plivo.Client(account.account, account.secret);
    const asked: SdkRequest[] = [];
    const calls = client.calls as unknown as { [wire: symbol]: unknown };
    for (const wire of Object.getOwnPropertySymbols(calls)) {
      if (typeof calls[wire] !== 'function') continue;
      calls[wire] = (method: string, action: string, params: SdkRequest['params']) => {
        const { isVoiceRequest: _, ...told } = params;
        asked.push({ method, action, params: told });
        return Promise.resolve({ response: {}, body: {} });
      };
    }
    await use(client);
    return asked[0]!;
  }

  const pathOf = ({ action }: SdkRequest): string => `/v1/Account/${account.account}/${action}`;

  it('hangs up with the request of its own client', async () => {
    const ours = await requestOf('plivo', HANG_UP, account, CALL);
    const theirs = await byTheSdk((client) => client.calls.hangup(CALL));
    expect([ours.method, ours.path]).toEqual([theirs.method, pathOf(theirs)]);
    expect([ours.method, ours.body]).toEqual(['DELETE', '']);
    expect(ours.headers['authorization']).toBe(basic(account.account, 'token'));
  });

  it('transfers the first leg to a URL with the request of its own client', async () => {
    const ours = await requestOf('plivo', REDIRECT_TO_ANSWER, account, CALL);
    const change = { legs: 'aleg', alegUrl: ANSWER_URL, alegMethod: 'POST', blegUrl: '', blegMethod: '' };
    const theirs = await byTheSdk((client) => client.calls.transfer(CALL, change));
    expect([ours.method, ours.path]).toEqual([theirs.method, pathOf(theirs)]);
    expect(JSON.parse(ours.body)).toEqual({
      legs: theirs.params['legs'],
      aleg_url: theirs.params['alegUrl'],
      aleg_method: theirs.params['alegMethod'],
    });
  });

  it('has a look-alike that takes the pair in headers of its own', async () => {
    const { method, path, headers } = await requestOf('vobiz', HANG_UP, account, CALL);
    expect([method, path]).toEqual(['DELETE', `/v1/Account/${account.account}/Call/${CALL}/`]);
    const { authorization, 'x-auth-id': id, 'x-auth-token': token } = headers;
    expect([authorization, id, token]).toEqual([undefined, account.account, 'token']);
  });
});

describe('Bandwidth', () => {
  const account = { account: '5555555', secret: 'user:password' };
  const CALL = 'c-1234abcd-0000-1111-2222-333344445555';
  const PATH = `/api/v2/accounts/5555555/calls/${CALL}`;
  const ask = (order: ProviderOrder): Promise<HeardRequest> => requestOf('bandwidth', order, account, CALL);

  it('hangs up and redirects by updating the call', async () => {
    const [ended, redirected] = [await ask(HANG_UP), await ask(REDIRECT_TO_ANSWER)];
    expect([ended.method, ended.path, ended.headers['authorization']]).toEqual([
      'POST',
      PATH,
      basic('user', 'password'),
    ]);
    expect(JSON.parse(ended.body)).toEqual({ state: 'completed' });
    const expected = { state: 'active', redirectUrl: ANSWER_URL, redirectMethod: 'POST' };
    expect(JSON.parse(redirected.body)).toEqual(expected);
  });

  it('transfers and streams elsewhere by replacing the document', async () => {
    const [transferred, streamed] = [await ask(TRANSFER), await ask(REDIRECT)];
    expect([transferred.method, transferred.path]).toEqual(['PUT', `${PATH}/bxml`]);
    expect(transferred.headers['content-type']).toBe('application/xml');
    expect(transferred.body).toContain('<Transfer><PhoneNumber>+15550123</PhoneNumber></Transfer>');
    expect(streamed.body).toMatch(
      /<StartStream [^>]*mode="bidirectional"[^>]*\/><StopStream [^>]*wait="true"\/>/,
    );
  });
});

describe('a transfer at a provider that takes no document', () => {
  const account = { account: 'a', secret: 's' };
  const told: { readonly [dialect: string]: (body: string) => unknown } = {
    signalwire: (body) => form(body)['Url'],
    plivo: (body) => (JSON.parse(body) as { aleg_url: string }).aleg_url,
    vobiz: (body) => (JSON.parse(body) as { aleg_url: string }).aleg_url,
    jambonz: (body) => (JSON.parse(body) as { call_hook: { url: string } }).call_hook.url,
  };

  it.each(Object.keys(told))(
    'at %s names a URL of ours, whose ticket is good for it once',
    async (dialect) => {
      const provider = await openProvider();
      const house = new ProviderHouse({ dialect, control: { ...account, base_url: provider.url } });
      expect(await house.carriesOut({ ...TRANSFER, from: '+15550100' }, 'call-1')).toBeUndefined();
      const url = URL.parse(String(told[dialect]!(provider.heard[0]!.body)))!;
      expect(`${url.origin}${url.pathname}`).toBe('https://voice.example.com/api/v1/voice/transfer');
      const ticket = url.searchParams.get('ticket')!;
      expect(house.transfers.take(ticket)).toEqual({ dialect, to: '+15550123', from: '+15550100' });
      expect(house.transfers.take(ticket)).toBeUndefined();
    },
  );

  it('makes no ticket where the provider takes the number itself', async () => {
    const provider = await openProvider();
    const house = new ProviderHouse({ dialect: 'twilio', control: { ...account, base_url: provider.url } });
    await house.carriesOut(TRANSFER, 'CA1');
    expect(house.transfers.stats.minted).toBe(0);
  });
});

describe('jambonz and Infobip', () => {
  it('are told by their own words', async () => {
    const jambonz = { account: 'acc', secret: 'key' };
    const ended = await requestOf('jambonz', HANG_UP, jambonz, 'call-1');
    expect([ended.method, ended.path, ended.headers['authorization'], JSON.parse(ended.body)]).toEqual([
      'PUT',
      '/v1/Accounts/acc/Calls/call-1',
      'Bearer key',
      { call_status: 'completed' },
    ]);
    const moved = await requestOf('jambonz', REDIRECT_TO_ANSWER, jambonz, 'call-1');
    expect(JSON.parse(moved.body)).toEqual({ call_hook: { url: ANSWER_URL, method: 'POST' } });
    const infobip = await requestOf('infobip', HANG_UP, { account: 'a', secret: 'key' }, 'call-1');
    expect([
      infobip.method,
      infobip.path,
      infobip.headers['authorization'],
      JSON.parse(infobip.body),
    ]).toEqual(['POST', '/calls/1/calls/call-1/hangup', 'App key', { errorCode: 'NORMAL_HANGUP' }]);
  });
});
