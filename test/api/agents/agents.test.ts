import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../open-test-api.ts';

const AGENTS = '/api/v1/agents';
const WISH = {
  name: 'Front desk',
  greeting: 'Hello.',
  backends: [
    { dialect: 'openai-realtime', api_key: 'sk-secret-1', model: 'gpt-realtime' },
    { dialect: 'native', name: 'own', url: 'wss://agents.example/voice' },
  ],
};

let test: TestApi;
beforeEach(async () => (test = await openTestApi()));
afterEach(() => test.api.close());

async function made(wish: object = WISH): Promise<string> {
  const { status, body } = await test.request('POST', AGENTS, wish);
  expect(status).toBe(201);
  return body.data.id as string;
}

describe('agents', () => {
  it('are made with defaults, and never show a key', async () => {
    const { status, body, text } = await test.request('POST', AGENTS, WISH);
    expect(status).toBe(201);
    expect(body.data).toMatchObject({
      version: 0,
      has_changes: true,
      barge_in: 'clear',
      tools: ['end_call'],
    });
    expect(body.data.backends).toMatchObject([
      { name: 'openai-realtime', has_api_key: true, url: null },
      { name: 'own', has_api_key: false },
    ]);
    expect(text).not.toContain('sk-secret');
    expect((await test.request('GET', AGENTS)).text).not.toContain('sk-secret');
  });

  it('answer calls only once they are published, and as they were then', async () => {
    const id = await made();
    const session = () => test.request('POST', '/api/v1/voice/sessions', { agent_id: id });
    expect((await session()).body.error).toMatchObject({ code: 'failed_precondition', field: 'agent_id' });
    expect((await test.request('GET', `/api/v1/runtime-config?agent_id=${id}`)).status).toBe(422);
    const published = await test.request('POST', `${AGENTS}/${id}/publish`);
    expect(published.body.data).toMatchObject({ version: 1, has_changes: false });
    expect(test.agentViews).toHaveLength(1);
    expect(test.agentEvents.map(({ envelope }) => envelope)).toMatchObject([
      {
        type: 'agent.published',
        workspace_id: 'ws_default',
        resource: { type: 'agent', id },
        data: { agent_id: id, name: 'Front desk', version: 1 },
      },
    ]);
    expect(test.agentViews[0]!.agents[0]).toMatchObject({ id, version: 1 });
    expect(test.agentViews[0]!.agents[0]!.terms.backends[0]!.api_key).toBe('sk-secret-1');
    expect((await session()).status).toBe(200);
    const changed = await test.request('PATCH', `${AGENTS}/${id}`, { greeting: 'Good day.' });
    expect(changed.body.data).toMatchObject({ greeting: 'Good day.', has_changes: true });
    const running = await test.request('GET', `/api/v1/runtime-config?agent_id=${id}`);
    expect(running.body.data).toMatchObject({ agent_id: id, version: 1, greeting: 'Hello.' });
    expect(running.text).not.toContain('sk-secret');
    expect(test.agentViews).toHaveLength(1);
  });

  it('keep the key of a backend that stays where it is, and give it to no other address', async () => {
    const id = await made();
    const keyOf = (): string | null => test.agents.all.get(id)!.draft.backends[0]!.api_key;
    const [backend] = WISH.backends;
    const { api_key: _, ...same } = backend!;
    await test.request('PATCH', `${AGENTS}/${id}`, { backends: [{ ...same, model: 'gpt-realtime-mini' }] });
    expect(keyOf()).toBe('sk-secret-1');
    await test.request('PATCH', `${AGENTS}/${id}`, { backends: [{ ...same, url: 'wss://evil.example' }] });
    expect(keyOf()).toBeNull();
  });

  it('say how their callers are heard, and how long a call may be silent', async () => {
    const plain = await test.request('POST', AGENTS, WISH);
    expect(plain.body.data).toMatchObject({ voice_detection: null, silence_timeout_ms: 0 });
    const own = { silence_timeout_ms: 30_000, voice_detection: { aggressiveness: 3, level_min_dbfs: -35.5 } };
    const id = await made({ ...WISH, ...own });
    await test.request('POST', `${AGENTS}/${id}/publish`);
    expect(test.agentViews[0]!.agents[0]!.terms).toMatchObject(own);
    const running = await test.request('GET', `/api/v1/runtime-config?agent_id=${id}`);
    expect(running.body.data).toMatchObject(own);
    const back = await test.request('PATCH', `${AGENTS}/${id}`, { voice_detection: null });
    expect(back.body.data).toMatchObject({ ...own, voice_detection: null });
  });

  it.each([
    ['an aggressiveness no detector has', { voice_detection: { aggressiveness: 4 } }, 'aggressiveness'],
    ['a start within a frame', { voice_detection: { start_ms: 19 } }, 'start_ms'],
    ['a stop of minutes', { voice_detection: { stop_ms: 60_000 } }, 'stop_ms'],
    ['a level above full scale', { voice_detection: { level_min_dbfs: 1 } }, 'level_min_dbfs'],
    ['a word that is none of these', { voice_detection: { model: 'x' } }, 'voice_detection'],
    ['a silence below nothing', { silence_timeout_ms: -1 }, 'silence_timeout_ms'],
  ])('are refused with %s', async (_, over, field) => {
    const { status, body } = await test.request('POST', AGENTS, { ...WISH, ...over });
    expect(status).toBe(400);
    expect(body.error.field).toContain(field);
  });

  it('are not of another workspace mode, nor for keys without the scope', async () => {
    const id = await made();
    const testKey = { authorization: `Bearer ${test.key({ testMode: true })}` };
    expect((await test.request('GET', `${AGENTS}/${id}`, undefined, testKey)).status).toBe(404);
    const reader = { authorization: `Bearer ${test.key({ scopes: ['agents:read'] })}` };
    expect((await test.request('POST', `${AGENTS}/${id}/publish`, undefined, reader)).status).toBe(403);
    expect((await test.request('GET', `${AGENTS}/${id}`, undefined, reader)).status).toBe(200);
  });

  it.each([
    ['name', { backends: WISH.backends }],
    ['backends', { name: 'x' }],
    ['backends.0.dialect', { name: 'x', backends: [{ dialect: 'smoke' }] }],
    ['backends.0.dialect', { name: 'x', backends: [{ dialect: 'deepgram-stt' }] }],
    ['backends.0.url', { name: 'x', backends: [{ dialect: 'native' }] }],
    [
      'backends.0.options.api_version',
      {
        name: 'x',
        backends: [{ dialect: 'openai-realtime', options: { api_version: 'old' } }],
      },
    ],
    [
      'backends',
      {
        name: 'x',
        backends: [{ dialect: 'openai-realtime' }, { dialect: 'openai-realtime' }],
      },
    ],
    [
      'transfer.mode',
      {
        name: 'x',
        backends: [{ dialect: 'openai-realtime' }],
        transfer: { target: { type: 'phone', to: '+15550100' }, mode: 'warm' },
      },
    ],
  ])('are refused for a wrong %s', async (field, wish) => {
    const { status, body } = await test.request('POST', AGENTS, wish);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: 'invalid_argument', field });
  });

  it('are tried without a call, by those who may change them', async () => {
    const id = await made();
    const { status, body } = await test.request('POST', `${AGENTS}/${id}/test`);
    expect(status).toBe(200);
    expect(body.data).toMatchObject({
      agent_id: id,
      ok: true,
      backends: [
        { name: 'openai-realtime', ok: false, error: 'rejected' },
        { name: 'own', ok: true },
      ],
    });
    const reader = { authorization: `Bearer ${test.key({ scopes: ['agents:read'] })}` };
    expect((await test.request('POST', `${AGENTS}/${id}/test`, undefined, reader)).status).toBe(403);
  });

  describe('functions of their own', () => {
    const TOOL = {
      name: 'lookup',
      description: 'Looks an account up.',
      url: 'https://tools.example/lookup',
      headers: { 'X-Key': 'secret-header' },
      parameters: { type: 'object', properties: { account: { type: 'string' } } },
    };

    it('show their signing secret once, their headers never, and nodes neither', async () => {
      const answer = await test.request('POST', AGENTS, { ...WISH, http_tools: [TOOL] });
      expect(answer.status).toBe(201);
      const [tool] = answer.body.data.http_tools;
      expect(tool).toMatchObject({
        name: 'lookup',
        method: 'POST',
        timeout_ms: 5_000,
        header_names: ['X-Key'],
      });
      expect(tool.secret).toMatch(/^whsec_/);
      expect(answer.text).not.toContain('secret-header');
      const id = answer.body.data.id as string;
      for (const url of [AGENTS, `${AGENTS}/${id}`]) {
        expect((await test.request('GET', url)).text).not.toContain('whsec_');
      }
      expect((await test.request('POST', `${AGENTS}/${id}/publish`)).text).not.toContain('whsec_');
      const told = JSON.stringify(test.agentViews[0]);
      expect(told).toContain('lookup');
      expect(told).not.toMatch(/whsec_|secret-header|tools\.example/);
    });

    it('keep their secrets while name and address stay, and no longer', async () => {
      const id = await made({ ...WISH, http_tools: [TOOL] });
      const requestOf = () => test.agents.all.get(id)!.draft.http_tools![0]!.request!;
      const before = requestOf();
      const { headers: _, ...same } = TOOL;
      const changed = await test.request('PATCH', `${AGENTS}/${id}`, {
        http_tools: [{ ...same, description: 'Finds an account.' }],
      });
      expect(changed.text).not.toContain('whsec_');
      expect(requestOf()).toEqual(before);
      await test.request('PATCH', `${AGENTS}/${id}`, { name: 'Other' });
      expect(requestOf()).toEqual(before);
      const moved = await test.request('PATCH', `${AGENTS}/${id}`, {
        http_tools: [{ ...same, url: 'https://evil.example/' }],
      });
      expect(requestOf()).toMatchObject({ headers: {} });
      expect(requestOf().secret).not.toBe(before.secret);
      expect(moved.body.data.http_tools[0].secret).toBe(requestOf().secret);
    });

    it.each([
      ['the name of a tool of the house', { name: 'end_call' }, 'name'],
      ['a name no backend takes', { name: 'look up' }, 'name'],
      ['arguments that are no object', { parameters: { type: 'string' } }, 'parameters'],
      ['a schema that leads away', { parameters: { type: 'object', $ref: 'https://x' } }, 'parameters'],
      ['a header of ours', { headers: { 'webhook-id': 'x' } }, 'headers'],
      ['a short secret', { secret: 'whsec_AAAA' }, 'secret'],
      ['a time beyond eight seconds', { timeout_ms: 8_001 }, 'timeout_ms'],
    ])('are refused with %s', async (_, over, field) => {
      const { status, body } = await test.request('POST', AGENTS, {
        ...WISH,
        http_tools: [{ ...TOOL, ...over }],
      });
      expect(status).toBe(400);
      expect(body.error.field).toContain(field);
    });

    it('have each a name of their own', async () => {
      const { status } = await test.request('POST', AGENTS, { ...WISH, http_tools: [TOOL, TOOL] });
      expect(status).toBe(400);
    });
  });
});
