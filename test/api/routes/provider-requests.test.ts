import { createHmac } from 'node:crypto';
import twilio from 'twilio';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { ApiOptions } from '../../../src/api/api-options.ts';
import type { CredentialVerify } from '../../../src/events/commands.ts';
import { TransferTickets } from '../../../src/providers/control/transfer-tickets.ts';
import { callView, openTestApi, type Answer, type TestApi } from '../open-test-api.ts';

type ProviderAsk = Parameters<NonNullable<ApiOptions['providers']>['carryOut']>[0];

let house: TestApi;
let asked: ProviderAsk[];
let placed: readonly string[];
const tickets = new TransferTickets([Buffer.from('a signing secret of the house')], systemClock);
beforeEach(async () => {
  asked = [];
  placed = ['wss://a.example.com', 'wss://b.example.com'];
  house = await openTestApi(
    {
      publicUrl: 'https://voice.example.com',
      mediaUrl: () => 'wss://any.example.com',
      mediaUrls: () => placed,
    },
    { providers: { carryOut: async (ask) => void asked.push(ask), transfers: tickets } },
  );
});
afterEach(() => house.api.close());

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

async function credentialOf(dialect: string, verify?: CredentialVerify): Promise<string> {
  const wish = { dialect, agent_id: 'echo', ...(verify === undefined ? {} : { verify }) };
  const { body } = await house.request('POST', '/api/v1/voice/stream-credentials', wish);
  return body.data.credential;
}

const post = (
  url: string,
  form: object,
  headers: { readonly [name: string]: string } = FORM,
): Promise<Answer> =>
  house.request('POST', url, new URLSearchParams(Object.entries(form)).toString(), headers);
const postJson = (url: string, body: object): Promise<Answer> =>
  house.request('POST', url, JSON.stringify(body), { 'content-type': 'application/json' });

const CALL = { CallSid: 'CA1', From: '+15550100', To: '+15550199', CallStatus: 'ringing' };

/** A call of this house that came with Twilio's `CA1`. */
function known(change: Parameters<typeof callView>[0] = {}, id = 'CA1'): void {
  const view = callView(change);
  const metadata = { provider_call_id: id };
  house.ports.allCalls.set(view.id, { ...view, head: { ...view.head, metadata } });
}

/** Where the document sends the provider once its streams are over: path and query. */
function againIn({ text }: Answer): string {
  const [, url = ''] = /<Redirect method="POST">([^<]*)</.exec(text) ?? [];
  return url.replaceAll('&amp;', '&').replace('https://voice.example.com', '');
}

it('shows where to ask with a fresh credential, of a provider that asks', async () => {
  const wish = (dialect: string): Promise<Answer> =>
    house.request('POST', '/api/v1/voice/stream-credentials', { dialect });
  const { data } = (await wish('plivo')).body;
  const path = `https://voice.example.com/api/v1/voice`;
  expect([data.answer_url, data.status_url]).toEqual([
    `${path}/answer/plivo/${data.credential}`,
    `${path}/status/plivo/${data.credential}`,
  ]);
  expect((await wish('genesys')).body.data.answer_url).toBeUndefined();
});

describe('the answer to a provider', () => {
  it('connects a call to two nodes in turn, with its numbers, and then comes back', async () => {
    const secret = await credentialOf('twilio');
    const answer = await post(`/api/v1/voice/answer/twilio/${secret}`, CALL);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/xml; charset=utf-8']);
    expect(answer.headers['cache-control']).toBe('no-store');
    const urls = [...answer.text.matchAll(/<Stream url="([^"]*)"/g)].map(([, url]) => url);
    expect(urls).toEqual([
      `wss://a.example.com/media/twilio/${secret}`,
      `wss://b.example.com/media/twilio/${secret}`,
    ]);
    expect(answer.text).toContain('<Parameter name="from" value="+15550100"/>');
    expect(answer.text).toContain('<Parameter name="to" value="+15550199"/>');
    expect(againIn(answer)).toMatch(new RegExp(`^/api/v1/voice/answer/twilio/${secret}\\?round=1&call=CA1`));
  });

  it('asks by GET as well, and tells the house what the address says of the call', async () => {
    const secret = await credentialOf('twilio');
    const query = new URLSearchParams({ ...CALL, lead_id: 'lead"1', campaign: 'no' });
    const answer = await house.request(
      'GET',
      `/api/v1/voice/answer/twilio/${secret}?${query.toString()}`,
      undefined,
      {},
    );
    expect(answer.text).toContain('<Parameter name="lead_id" value="lead&quot;1"/>');
    expect(answer.text).not.toContain('campaign');
    expect(againIn(answer)).toContain('lead_id=lead%221');
  });

  it('hangs up once the call has ended', async () => {
    const secret = await credentialOf('twilio');
    const first = await post(`/api/v1/voice/answer/twilio/${secret}`, CALL);
    known({ state: 'ended', ended_at: '2026-11-20T12:01:00.000Z' });
    const { text } = await post(againIn(first), CALL);
    expect(text).toContain('<Response><Hangup/></Response>');
  });

  it('streams again while the call goes on, and names it', async () => {
    const secret = await credentialOf('twilio');
    const first = await post(`/api/v1/voice/answer/twilio/${secret}`, CALL);
    known();
    const second = await post(againIn(first), CALL);
    expect(second.text).toContain('<Parameter name="resumes" value="call_1"/>');
    expect(againIn(second)).toContain('round=2');
  });

  it('tells the call of another workspace, mode or provider call apart', async () => {
    const secret = await credentialOf('twilio');
    const again = `/api/v1/voice/answer/twilio/${secret}?round=3`;
    for (const change of [{ workspace_id: 'ws_other' }, { test_mode: true }]) {
      known(change);
      expect((await post(again, CALL)).text).toContain('<Hangup/>');
    }
    known({}, 'CA2');
    expect((await post(again, CALL)).text).toContain('<Hangup/>');
  });

  it('gives a call up whose streams never came through', async () => {
    const secret = await credentialOf('twilio');
    let answer = await post(`/api/v1/voice/answer/twilio/${secret}`, CALL);
    for (let round = 1; round < 3; round++) {
      answer = await post(againIn(answer), CALL);
      expect(answer.text).toContain('<Stream');
    }
    expect((await post(againIn(answer), CALL)).text).toContain('<Hangup/>');
    expect(house.api.stats()['providerGivenUp']).toBe(1);
  });

  it('hangs up rather than start anew where the provider names no call', async () => {
    const secret = await credentialOf('twilio');
    const { text } = await post(`/api/v1/voice/answer/twilio/${secret}?round=1`, {});
    expect(text).toContain('<Hangup/>');
  });

  it('survives whatever stands in place of a round', async () => {
    const secret = await credentialOf('twilio');
    for (const round of ['-1', 'NaN', '1e400', '0x', '%00', "1'--"]) {
      const { status } = await post(`/api/v1/voice/answer/twilio/${secret}?round=${round}`, CALL);
      expect([round, status]).toEqual([round, 200]);
    }
  });

  it('is JSON for Vonage, with its call in the address of its events', async () => {
    const secret = await credentialOf('vonage');
    const url = `/api/v1/voice/answer/vonage/${secret}?uuid=u1&from=15550100&to=15550199`;
    const answer = await house.request('GET', url, undefined, {});
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    const [{ endpoint, eventUrl }] = answer.body;
    expect(endpoint[0].headers).toEqual({ from: '15550100', to: '15550199', call_uuid: 'u1' });
    expect(eventUrl[0]).toContain(`/voice/status/vonage/${secret}?round=1&call=u1&call_from=15550100`);
  });

  it('is unavailable while no node serves, so that the provider’s fallback is asked', async () => {
    const secret = await credentialOf('twilio');
    house.nodes.serving = 0;
    placed = [];
    const answer = await post(`/api/v1/voice/answer/twilio/${secret}`, CALL);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
  });

  it('leads to other hosts while none of this one’s nodes serves', async () => {
    const secret = await credentialOf('twilio');
    house.nodes.serving = 0;
    placed = ['wss://a.example.com', 'wss://b.example.com', 'wss://south.example.com'];
    const { text } = await post(`/api/v1/voice/answer/twilio/${secret}`, CALL);
    const hosts = [...text.matchAll(/<Stream url="wss:\/\/([\w.]+)/g)].map(([, host]) => host);
    expect(hosts).toEqual(['a.example.com', 'b.example.com', 'south.example.com']);
  });

  it('is 404 for a provider that asks for no document', async () => {
    const secret = await credentialOf('genesys');
    expect((await post(`/api/v1/voice/answer/genesys/${secret}`, {})).status).toBe(404);
  });
});

describe('who asks', () => {
  it('is unknown with another credential, or one of another dialect, and soon turned away', async () => {
    const secret = await credentialOf('twilio');
    expect((await post('/api/v1/voice/answer/twilio/unknown', CALL)).status).toBe(404);
    expect((await post(`/api/v1/voice/answer/plivo/${secret}`, CALL)).status).toBe(404);
    const statuses = new Set<number>();
    for (let i = 0; i < 100; i++) statuses.add((await post('/api/v1/voice/status/twilio/guess', {})).status);
    expect(statuses).toEqual(new Set([404, 429]));
    expect(house.api.stats()['providerTurnedAway']).toBeGreaterThan(0);
  });

  it('must have signed where its credential says so', async () => {
    const secret = await credentialOf('twilio', { auth_token: 'token' });
    const path = `/api/v1/voice/answer/twilio/${secret}`;
    const url = `https://voice.example.com${path}`;
    const signature = twilio.getExpectedTwilioSignature('token', url, CALL);
    expect((await post(path, CALL, { ...FORM, 'x-twilio-signature': signature })).status).toBe(200);
    const forged = await post(
      path,
      { ...CALL, CallSid: 'CA2' },
      { ...FORM, 'x-twilio-signature': signature },
    );
    expect([forged.status, forged.body.error.code]).toEqual([403, 'permission_denied']);
    expect((await post(path, CALL)).status).toBe(403);
    expect(house.api.stats()['providerWrongProof']).toBe(2);
  });

  it('may ask once by each of Plivo’s signatures', async () => {
    const secret = await credentialOf('plivo', { auth_token: 'token' });
    const path = `/api/v1/voice/answer/plivo/${secret}`;
    const ask = async (nonce: string): Promise<number> => {
      const signed = `https://voice.example.com${path}?CallUUIDc.${nonce}`;
      const signature = createHmac('sha256', 'token').update(signed).digest('base64');
      const shown = { 'x-plivo-signature-v3': signature, 'x-plivo-signature-v3-nonce': nonce };
      return (await post(path, { CallUUID: 'c' }, { ...FORM, ...shown })).status;
    };
    expect([await ask('one'), await ask('one'), await ask('other')]).toEqual([200, 403, 200]);
    expect(house.api.stats()['providerReplayed']).toBe(1);
  });

  it.each([{ jti: 'a' }, {}])('may ask once by each of Vonage’s tokens, with %o in them', async (named) => {
    const secret = await credentialOf('vonage', { signature_secret: 'token' });
    const ask = async (agoS: number): Promise<number> => {
      const claims = { ...named, iat: Math.floor(house.clock.unixMs() / 1000) - agoS };
      const parts = [{ alg: 'HS256' }, claims].map((part) =>
        Buffer.from(JSON.stringify(part)).toString('base64url'),
      );
      const signature = createHmac('sha256', 'token').update(parts.join('.')).digest('base64url');
      const authorization = `Bearer ${parts.join('.')}.${signature}`;
      const url = `/api/v1/voice/answer/vonage/${secret}?uuid=u1`;
      return (await house.request('GET', url, undefined, { authorization })).status;
    };
    expect([await ask(1), await ask(1)]).toEqual([200, 403]);
    // Without an id it is the whole token that is good once.
    expect(await ask(2)).toBe('jti' in named ? 403 : 200);
  });

  it('must come from where its credential says', async () => {
    const secret = await credentialOf('twilio', { ip_allow: ['203.0.113.0/24'] });
    expect((await post(`/api/v1/voice/answer/twilio/${secret}`, CALL)).status).toBe(403);
  });

  it('may not send a body beyond 64 KiB', async () => {
    const secret = await credentialOf('twilio');
    const answer = await post(`/api/v1/voice/answer/twilio/${secret}`, { From: 'x'.repeat(70_000) });
    expect(answer.status).toBe(413);
    expect(house.api.stats()['providerTooLarge']).toBe(1);
  });

  it('is asked to wait beyond its rate', async () => {
    const secret = await credentialOf('twilio');
    const url = `/api/v1/voice/status/twilio/${secret}`;
    let last = 204;
    for (let i = 0; i <= 6_000 && last === 204; i++) last = (await post(url, {})).status;
    expect([last, house.api.stats()['providerRateLimited']]).toEqual([429, 1]);
  });
});

describe('a status callback', () => {
  const ENDED = { ...CALL, CallStatus: 'completed' };

  it('hangs up a call that its provider has ended', async () => {
    const secret = await credentialOf('twilio');
    known();
    expect((await post(`/api/v1/voice/status/twilio/${secret}`, ENDED)).status).toBe(204);
    expect(house.nodes.commands.at(-1)).toEqual({
      name: 'call_command',
      call_id: 'call_1',
      workspace_id: 'ws_default',
      command: { name: 'end_by_provider' },
    });
  });

  it('does nothing to a call that is over, or that is not known', async () => {
    const secret = await credentialOf('twilio');
    const asked = house.nodes.commands.length;
    await post(`/api/v1/voice/status/twilio/${secret}`, ENDED);
    known({ state: 'ended', ended_at: '2026-11-20T12:01:00.000Z' });
    await post(`/api/v1/voice/status/twilio/${secret}`, ENDED);
    await post(`/api/v1/voice/status/twilio/${secret}`, ENDED);
    expect(house.nodes.commands.length).toBe(asked);
  });

  it('is taken, and counted, where the node could not be asked', async () => {
    const secret = await credentialOf('twilio');
    known();
    house.nodes.result = { ok: false, fault: 'unavailable', detail: 'the node is away' };
    expect((await post(`/api/v1/voice/status/twilio/${secret}`, ENDED)).status).toBe(204);
    expect(house.api.stats()['providerHangUpFailed']).toBe(1);
  });

  it('of an unknown kind is 204, and counted', async () => {
    const secret = await credentialOf('twilio');
    const { status } = await post(`/api/v1/voice/status/twilio/${secret}`, { CallSid: 'CA1', Odd: '1' });
    expect([status, house.api.stats()['providerUnknownStatus']]).toEqual([204, 1]);
  });

  it('of a lost stream is answered to Vonage by the next NCCO, while the call goes on', async () => {
    const secret = await credentialOf('vonage');
    const url = `/api/v1/voice/status/vonage/${secret}?round=1&call=u1&call_from=%2B15550100&call_to=%2B15550199`;
    const event = { uuid: 'the leg', status: 'disconnected' };
    expect((await postJson(url, event)).status).toBe(204);
    known({}, 'u1');
    const [{ endpoint, eventUrl }] = (await postJson(url, event)).body;
    expect(endpoint[0].headers).toMatchObject({ call_uuid: 'u1', resumes: 'call_1' });
    expect(eventUrl[0]).toContain('round=2');
    known({ state: 'ended', ended_at: '2026-11-20T12:01:00.000Z' }, 'u1');
    expect((await postJson(url, event)).status).toBe(204);
  });

  it('of a lost stream has Telnyx start another, elsewhere', async () => {
    const secret = await credentialOf('telnyx');
    known({}, 'v3:1');
    const payload = { call_control_id: 'v3:1', from: '+15550100', to: '+15550199' };
    const event = { data: { event_type: 'streaming.failed', payload } };
    expect((await postJson(`/api/v1/voice/status/telnyx/${secret}`, event)).status).toBe(204);
    expect(asked).toMatchObject([
      {
        workspace_id: 'ws_default',
        provider_call_id: 'v3:1',
        order: { action: 'redirect', to: { streamUrl: `wss://b.example.com/media/telnyx/${secret}` } },
      },
    ]);
  });
});

describe('who answered', () => {
  it('is told to the call, once for each callback that says so', async () => {
    const secret = await credentialOf('twilio');
    known();
    const told = { CallSid: 'CA1', AnsweredBy: 'machine_start', MachineDetectionDuration: '4100' };
    // The callback of asynchronous detection names no numbers: the address does.
    const url = `/api/v1/voice/status/twilio/${secret}?call_from=%2B15550100&call_to=%2B15550199`;
    expect((await post(url, told)).status).toBe(204);
    expect(house.nodes.commands.at(-1)).toMatchObject({
      call_id: 'call_1',
      command: { name: 'tell_answer', result: 'machine', decided_ms: 4100 },
    });
    const { providerAnswersTold, providerUnknownStatus } = house.api.stats();
    expect([providerAnswersTold, providerUnknownStatus]).toEqual([1, 0]);
  });

  it('goes with the stream where it is known before', async () => {
    const secret = await credentialOf('twilio');
    const answer = await post(`/api/v1/voice/answer/twilio/${secret}`, { ...CALL, AnsweredBy: 'human' });
    expect(answer.text).toContain('<Parameter name="answered_by" value="human"/>');
  });
});

describe('the document of a transfer', () => {
  const at = (ticket: string): string => `/api/v1/voice/transfer?ticket=${ticket}`;

  it('is answered in the provider’s language, once', async () => {
    const ticket = tickets.mint({ dialect: 'plivo', to: '+15550123', from: '+15550100' });
    const answer = await post(at(ticket), { CallUUID: 'c' });
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(answer.text).toContain('<Dial callerId="+15550100"><Number>+15550123</Number></Dial>');
    expect((await post(at(ticket), { CallUUID: 'c' })).status).toBe(404);
    const verbs = tickets.mint({ dialect: 'jambonz', to: '+15550123', from: null });
    expect((await postJson(at(verbs), { call_sid: 'c' })).body[0]).toMatchObject({ verb: 'dial' });
  });

  it('is for nobody who guesses, and guessers are turned away', async () => {
    const answers: number[] = [];
    for (let i = 0; i < 22; i++) {
      answers.push((await house.request('GET', i === 0 ? '/api/v1/voice/transfer' : at(`a${i}.b`))).status);
    }
    expect([answers[0], answers[1], answers.at(-1)]).toEqual([404, 404, 429]);
    expect(house.api.stats()['providerWrongCredential']).toBeGreaterThanOrEqual(20);
  });
});
