import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callView, openTestApi, type TestApi } from '../open-test-api.ts';

let house: TestApi;
beforeEach(async () => {
  house = await openTestApi();
  house.ports.allCalls.set('call_1', callView());
});
afterEach(() => house.api.close());

it('tells a call in the words of the contract', async () => {
  const { body } = await house.request('GET', '/api/v1/calls/call_1');
  expect(body.data).toEqual({
    id: 'call_1',
    state: 'active',
    direction: 'inbound',
    from: '+15550100',
    to: '+15550199',
    agent_id: 'echo',
    conversation_id: 'conv_1',
    lead_id: null,
    contact_id: null,
    metadata: { campaign: 'spring' },
    test_mode: false,
    started_at: '2026-11-20T12:00:00.000Z',
    ended_at: null,
    end_reason: null,
    node: '0',
    region: 'local',
    legs: [],
    timeline: [{ sequence: 1, type: 'call_started', at: '2026-11-20T12:00:00.000Z' }],
    quality: { mos: 4.3 },
    cost: null,
    erased_at: null,
  });
});

it('lists calls newest first, by page and by cursor, filtered by exact field', async () => {
  for (let i = 2; i <= 5; i++) {
    house.ports.allCalls.set(`call_${i}`, callView({ id: `call_${i}`, state: i === 3 ? 'ended' : 'active' }));
  }
  const ids = async (query: string) => {
    const { body } = await house.request('GET', `/api/v1/calls?${query}`);
    return [body.data.map(({ id }: { id: string }) => id), body.meta.page];
  };
  const page = { page: 1, limit: 2, total: 5, next_cursor: '2' };
  expect(await ids('limit=2')).toEqual([['call_5', 'call_4'], page]);
  expect(await ids('limit=2&page=3')).toEqual([['call_1'], { ...page, page: 3, next_cursor: null }]);
  expect((await ids('limit=2&cursor=2'))[0]).toEqual(['call_3', 'call_2']);
  expect((await ids('state=ended'))[0]).toEqual(['call_3']);
});

it.each(['limit=0', 'limit=201', 'page=0', 'page=x', 'state=gone', 'colour=red'])(
  'refuses ?%s',
  async (query) => {
    const { status, body } = await house.request('GET', `/api/v1/calls?${query}`);
    expect([status, body.error.code, body.error.field]).toEqual([
      400,
      'invalid_argument',
      query.split('=')[0],
    ]);
  },
);

it('hides calls of the other mode and of other workspaces', async () => {
  for (const secret of [house.key({ testMode: true }), house.key({ workspaceId: 'ws_other' })]) {
    const headers = { authorization: `Bearer ${secret}` };
    expect((await house.request('GET', '/api/v1/calls', undefined, headers)).body.data).toEqual([]);
    expect((await house.request('GET', '/api/v1/calls/call_1', undefined, headers)).status).toBe(404);
  }
});

const toCall = (command: object) => ({
  name: 'call_command',
  call_id: 'call_1',
  workspace_id: 'ws_default',
  command,
});

describe('hanging up', () => {
  const hangUp = (id = 'call_1') => house.request('POST', `/api/v1/calls/${id}/hangup`);

  it('is done by the node that owns the call', async () => {
    const { status, body } = await hangUp();
    expect([status, body.data]).toEqual([200, { id: 'call_1', state: 'ending' }]);
    expect(house.nodes.commands).toEqual([toCall({ name: 'hang_up' })]);
  });

  it('takes an announced but empty JSON body', async () => {
    const headers = { 'x-api-key': house.key(), 'content-type': 'application/json' };
    expect((await house.request('POST', '/api/v1/calls/call_1/hangup', undefined, headers)).status).toBe(200);
  });

  it.each([
    ['an ended call', 422, 'failed_precondition'],
    ['a call its node has just seen end', 422, 'failed_precondition'],
    ['a call whose node does not answer', 503, 'unavailable'],
    ['an unknown call', 404, 'not_found'],
  ])('is refused for %s', async (what, status, code) => {
    if (what === 'an ended call') house.ports.allCalls.set('call_1', callView({ state: 'ended' }));
    if (what.includes('just')) house.nodes.result = { ok: false, fault: 'call_not_found', detail: 'gone' };
    if (what.includes('answer'))
      house.nodes.result = { ok: false, fault: 'unavailable', detail: 'no answer' };
    const answer = await hangUp(what === 'an unknown call' ? 'call_2' : 'call_1');
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
  });
});

const PLAYED = { leg_id: 'leg_1', played_ms: 20, unplayed_ms: 40, playbacks: [] };

describe('a command to a live call', () => {
  const commands = () => house.nodes.commands.map((command) => (command as { command: unknown }).command);

  it.each([
    ['hold', { on: true }, { name: 'hold', on: true, source: 'music' }, { on: true, source: 'music' }],
    ['mute', { leg_id: 'leg_1', on: true }, { name: 'mute', leg_id: 'leg_1', on: true }, {}],
    [
      'play',
      { url: 'tone:busy' },
      { name: 'play', url: 'tone:busy', leg_id: null, loop: false, gain_ratio: 1 },
      { playback_id: 'play_1', leg_ids: ['leg_1'] },
    ],
    ['clear', {}, { name: 'clear', leg_id: null }, { cleared: [] }],
    ['pause', { leg_id: 'leg_1' }, { name: 'pause', leg_id: 'leg_1' }, { paused: [PLAYED] }],
    ['resume', {}, { name: 'resume', leg_id: null }, { resumed: [PLAYED] }],
    ['dtmf', { digits: '1a#' }, { name: 'dtmf', digits: '1A#', leg_id: null }, {}],
    ['legs', { role: 'supervisor' }, { name: 'invite', role: 'supervisor', mode: 'monitor' }, {}],
    ['transfer', { to: '+15550123' }, { name: 'transfer', to: '+15550123' }, { to: '+15550123' }],
    [
      'disposition',
      { disposition: 'sale' },
      { name: 'set_disposition', disposition: 'sale', by: 'api' },
      { disposition: 'sale', by: 'api' },
    ],
    [
      'qualification',
      { score: 7, threshold: 5 },
      { name: 'qualify', score: 7, threshold: 5, criteria: {} },
      { score: 7, threshold: 5, met: true },
    ],
    [
      'handover',
      { target: { type: 'queue', to: 'sales' }, mode: 'warm' },
      {
        name: 'hand_over',
        target: { type: 'queue', to: 'sales' },
        mode: 'warm',
        reason: null,
        context: {},
        timeout_ms: 30_000,
        hold: 'music',
      },
      { handover_id: 'ho_1', state: 'offered', mode: 'warm' },
    ],
    [
      'handover/ho_1/decline',
      {},
      { name: 'answer_handover', handover_id: 'ho_1', verdict: 'decline' },
      { handover_id: 'ho_1', state: 'failed' },
    ],
  ])(
    '%s goes to the node that owns the call, and its answer comes back',
    async (path, body, command, value) => {
      house.nodes.result = { ok: true, value: { ...ANSWER, ...value } };
      const answer = await house.request('POST', `/api/v1/calls/call_1/${path}`, body);
      expect([answer.status, answer.body.data]).toEqual([200, expect.objectContaining(value)]);
      expect(commands()).toEqual([command]);
    },
  );

  it('changes several things of a leg in their order, and takes it out', async () => {
    const path = '/api/v1/calls/call_1/legs/leg_1';
    const change = { mode: 'barge', gain_ratio: 2, muted: false };
    expect((await house.request('PATCH', path, change)).body.data).toEqual({ leg_id: 'leg_1', ...change });
    expect((await house.request('DELETE', path)).body.data).toEqual({ leg_id: 'leg_1' });
    expect(commands()).toEqual([
      { name: 'supervise', leg_id: 'leg_1', mode: 'barge' },
      { name: 'set_gain', leg_id: 'leg_1', gain_ratio: 2, listener_id: null },
      { name: 'mute', leg_id: 'leg_1', on: false },
      { name: 'remove_leg', leg_id: 'leg_1' },
    ]);
  });

  it('turns a leg down for one listener, and says that a listener alone asks for nothing', async () => {
    const path = '/api/v1/calls/call_1/legs/leg_1';
    const change = { gain_ratio: 0.5, listener_id: 'leg_2' };
    expect((await house.request('PATCH', path, change)).status).toBe(200);
    expect(commands()).toEqual([{ name: 'set_gain', leg_id: 'leg_1', ...change }]);
    const answer = await house.request('PATCH', path, { muted: true, listener_id: 'leg_2' });
    expect([answer.status, answer.body.error.field]).toEqual([400, 'listener_id']);
    expect(commands()).toHaveLength(1);
  });

  it.each([
    ['hold', {}],
    ['hold', { on: true, source: 'noise' }],
    ['mute', { on: true }],
    ['play', { url: '' }],
    ['play', { url: 'tone:busy', gain_ratio: 5 }],
    ['dtmf', { digits: '12x' }],
    ['legs', { role: 'caller' }],
    ['legs', { role: 'human', mode: 'barge' }],
    ['transcript', { segments: [] }],
    ['disposition', { disposition: 'sale', colour: 'red' }],
    ['handover', { target: { type: 'moon', to: 'x' } }],
    ['handover', { target: { type: 'queue', to: 'x' }, timeout_ms: 1 }],
  ])('%s %j is refused before any node hears of it', async (path, body) => {
    const answer = await house.request('POST', `/api/v1/calls/call_1/${path}`, body);
    expect([answer.status, answer.body.error.code]).toEqual([400, 'invalid_argument']);
    expect(house.nodes.commands).toEqual([]);
  });

  it.each([
    ['not_found', 404, 'not_found'],
    ['conflict', 409, 'conflict'],
    ['failed_precondition', 422, 'failed_precondition'],
    ['unavailable', 503, 'unavailable'],
  ] as const)('refused by its node with %s is answered %i', async (fault, status, code) => {
    house.nodes.result = { ok: false, fault, detail: 'so it is' };
    const answer = await house.request('POST', '/api/v1/calls/call_1/hold', { on: true });
    expect([answer.status, answer.body.error]).toEqual([status, { code, message: 'so it is' }]);
  });

  it('needs the scope to change calls', async () => {
    const headers = { authorization: `Bearer ${house.key({ scopes: ['calls:read'] })}` };
    const answer = await house.request('POST', '/api/v1/calls/call_1/hold', { on: true }, headers);
    expect([answer.status, answer.body.error.code]).toEqual([403, 'permission_denied']);
  });
});

/** Whatever any of them answers, where a test does not say it. */
const ANSWER = {
  target: { type: 'queue', to: 'sales' },
  context: {},
  leg_id: 'leg_1',
  on: true,
  digits: '1A#',
  source: 'in_band',
  role: 'supervisor',
  mode: 'monitor',
  ws_url: 'ws://127.0.0.1:8082/media/native',
  token: 'a.b.c',
  expires_at: '2026-11-20T12:05:00.000Z',
};
