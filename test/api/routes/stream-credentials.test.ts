import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VoiceError } from '../../../src/base/errors.ts';
import { sha256Hex } from '../../../src/base/secret.ts';
import { openTestApi, type TestApi } from '../open-test-api.ts';

let house: TestApi;
beforeEach(async () => {
  house = await openTestApi();
});
afterEach(() => house.api.close());

const PATH = '/api/v1/voice/stream-credentials';

it('shows the provider URL and TwiML once, and stores only a hash', async () => {
  const { status, body } = await house.request('POST', PATH, {
    dialect: 'twilio',
    agent_id: 'echo',
    label: 'main',
  });
  expect(status).toBe(201);
  const { id, url, credential, twiml } = body.data;
  expect(url).toBe(`ws://127.0.0.1:8081/media/twilio/${credential}`);
  expect(twiml).toContain(`<Connect><Stream url="${url}"/></Connect>`);
  const stored = house.ports.allCredentials.get(id)!;
  expect(stored.secretHash).toBe(sha256Hex(credential));
  expect(JSON.stringify(stored)).not.toContain(credential);
  const listed = await house.request('GET', PATH);
  expect(listed.body.data).toMatchObject([{ id, dialect: 'twilio', agent_id: 'echo', label: 'main' }]);
  expect(listed.text).not.toContain(credential);
});

it('answers after the nodes have applied the view that has it', async () => {
  const { body } = await house.request('POST', PATH, { dialect: 'native' });
  expect(house.nodes.views.at(-1)?.credentials.map(({ id }) => id)).toEqual([body.data.id]);
  await house.request('DELETE', `${PATH}/${body.data.id}`);
  expect(house.nodes.views.at(-1)?.credentials).toEqual([]);
});

it('keeps nothing of a credential that the nodes did not take', async () => {
  house.nodes.failure = new VoiceError('unavailable', 'a node did not answer');
  const { status, body } = await house.request('POST', PATH, { dialect: 'native' });
  expect([status, body.error.code]).toEqual([503, 'unavailable']);
  expect(house.ports.allCredentials.size).toBe(0);
});

it('stores how the provider proves itself, and shows only that it does', async () => {
  const verify = { auth_token: 'twilio-secret', ip_allow: ['203.0.113.0/24'] };
  const { body, text } = await house.request('POST', PATH, { dialect: 'twilio', verify });
  expect(body.data.verify).toEqual(['auth_token', 'ip_allow']);
  expect(text).not.toContain('twilio-secret');
  expect(house.nodes.views.at(-1)?.credentials[0]?.verify).toEqual(verify);
});

it('takes every kind of proof at once, and a dialect that is found out', async () => {
  const verify = { auth_token: 't', basic: { username: 'u', password: 'p' }, ip_allow: ['203.0.113.7'] };
  const { status, body } = await house.request('POST', PATH, { dialect: 'auto', verify });
  expect([status, body.data.verify]).toEqual([201, ['auth_token', 'basic', 'ip_allow']]);
  expect(body.data.url).toContain('/media/auto/');
});

it('keeps the REST account of the provider, and shows all but its secret', async () => {
  const control = { base_url: 'https://api.example.com', account: 'AC1', secret: 'rest-secret' };
  const { body, text } = await house.request('POST', PATH, { dialect: 'twilio', control });
  expect(body.data.control).toEqual({ base_url: 'https://api.example.com', account: 'AC1' });
  expect(text).not.toContain('rest-secret');
  expect(house.ports.allCredentials.get(body.data.id)!.control).toEqual(control);
});

it('rotates the REST account, and takes it away, while the URL stays as it is', async () => {
  const { body } = await house.request('POST', PATH, { dialect: 'twilio' });
  const { id } = body.data;
  const control = { account: 'AC1', secret: 'rest-secret' };
  const given = await house.request('PATCH', `${PATH}/${id}`, { control });
  expect(given.body.data.control).toEqual({ base_url: null, account: 'AC1' });
  expect(given.text).not.toContain('rest-secret');
  const rotated = { account: 'AC1', secret: 'newer-secret' };
  await house.request('PATCH', `${PATH}/${id}`, { control: rotated });
  expect(await house.ports.credentials.controlOf('ws_default', id)).toEqual({
    dialect: 'twilio',
    control: rotated,
  });
  const views = house.nodes.views.length;
  const gone = await house.request('PATCH', `${PATH}/${id}`, { control: null });
  expect([gone.body.data.control, house.nodes.views.length]).toEqual([null, views + 1]);
  expect(await house.ports.credentials.controlOf('ws_default', id)).toBeUndefined();
  const unknown = await house.request('PATCH', `${PATH}/sc_nobody`, { control: null });
  expect(unknown.status).toBe(404);
});

it.each([
  ['asterisk', { account: 'a', secret: 's' }, 'control'],
  ['signalwire', { account: 'a', secret: 's' }, 'control.base_url'],
])('keeps no REST account of %s that could never be used', async (dialect, control, field) => {
  const made = await house.request('POST', PATH, { dialect, control });
  expect([made.status, made.body.error.field]).toEqual([400, field]);
  const { body } = await house.request('POST', PATH, { dialect });
  const changed = await house.request('PATCH', `${PATH}/${body.data.id}`, { control });
  expect([changed.status, changed.body.error.field]).toEqual([400, field]);
});

it('keeps no REST account where hooks may not reach', async () => {
  const { body } = await house.request('POST', PATH, { dialect: 'twilio' });
  const control = { base_url: 'http://169.254.169.254/', account: 'AC1', secret: 's' };
  const { status } = await house.request('PATCH', `${PATH}/${body.data.id}`, { control });
  expect([status, house.ports.allCredentials.get(body.data.id)!.control]).toEqual([422, undefined]);
});

describe('options', () => {
  const terms = {
    name: 'odd',
    options: [{ name: 'l16_endian', values: ['little', 'big'] }],
    proofs: ['api_key'],
  };
  let odd: TestApi;
  beforeEach(async () => {
    odd = await openTestApi({ dialects: [terms] });
  });
  afterEach(() => odd.api.close());

  it('reach the nodes with the proofs only this dialect checks', async () => {
    const wish = { dialect: 'odd', options: { l16_endian: 'big' }, verify: { api_key: 'k' } };
    const { body } = await odd.request('POST', PATH, wish);
    expect(body.data.options).toEqual({ l16_endian: 'big' });
    expect(odd.nodes.views.at(-1)?.credentials[0]).toMatchObject({ ...wish, id: body.data.id });
  });

  it.each([
    [{ options: { endian: 'big' } }, 'options.endian', 'l16_endian'],
    [{ options: { l16_endian: 'middle' } }, 'options.l16_endian', 'little, big'],
    [{ verify: { auth_token: 't' } }, 'verify.auth_token', 'api_key'],
  ])('that nobody has are refused by name: %j', async (wish, field, told) => {
    const { status, body } = await odd.request('POST', PATH, { dialect: 'odd', ...wish });
    expect([status, body.error.field]).toEqual([400, field]);
    expect(body.error.message).toContain(told);
    expect(odd.ports.allCredentials.size).toBe(0);
  });
});

it.each([
  [{ dialect: 'native', verify: { auth_token: 't' } }, 400, 'verify.auth_token'],
  [{ dialect: 'twilio', options: { speed: 'fast' } }, 400, 'options.speed'],
  [
    { dialect: 'twilio', verify: { bearer: 'b', basic: { username: 'u', password: 'p' } } },
    400,
    'verify.basic',
  ],
  [
    { dialect: 'twilio', control: { base_url: 'http://169.254.169.254/', account: 'a', secret: 's' } },
    422,
    'control.base_url',
  ],
  [{ dialect: 'nobody' }, 400, 'dialect'],
  [{ dialect: 'twilio', agent_id: 'agt_x' }, 404, 'agent_id'],
  [{ dialect: 'twilio', verify: { ip_allow: ['here'] } }, 400, 'verify.ip_allow'],
  [{ dialect: 'twilio', verify: { audience: 'a' } }, 400, 'verify.audience'],
  [{ dialect: 'acs', verify: { keys_url: 'https://keys.example.com/' } }, 400, 'verify.audience'],
  [{ dialect: 'acs', verify: { audience: 'a', bearer: 'b' } }, 400, 'verify.basic'],
])('refuses %j', async (body, status, field) => {
  const answer = await house.request('POST', PATH, body);
  expect([answer.status, answer.body.error.field]).toEqual([status, field]);
});

it('of the other mode or another workspace is not there', async () => {
  const { body } = await house.request('POST', PATH, { dialect: 'native' });
  for (const stranger of [house.key({ testMode: true }), house.key({ workspaceId: 'ws_other' })]) {
    const headers = { authorization: `Bearer ${stranger}` };
    expect((await house.request('GET', PATH, undefined, headers)).body.data).toEqual([]);
    expect((await house.request('DELETE', `${PATH}/${body.data.id}`, undefined, headers)).status).toBe(404);
  }
  expect(house.ports.allCredentials.size).toBe(1);
});
