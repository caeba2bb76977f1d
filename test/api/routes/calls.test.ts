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

describe('hanging up', () => {
  const hangUp = (id = 'call_1') => house.request('POST', `/api/v1/calls/${id}/hangup`);

  it('is done by the node that owns the call', async () => {
    const { status, body } = await hangUp();
    expect([status, body.data]).toEqual([200, { id: 'call_1', state: 'ending' }]);
    expect(house.nodes.commands).toEqual([
      { name: 'hang_up', call_id: 'call_1', workspace_id: 'ws_default' },
    ]);
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
