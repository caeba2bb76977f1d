import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refuse } from '../../../src/base/errors.ts';
import { verifySessionToken } from '../../../src/base/session-token.ts';
import { openTestApi, SIGNING_SECRET, type TestApi } from '../open-test-api.ts';

let house: TestApi;
beforeEach(async () => {
  house = await openTestApi();
});
afterEach(() => house.api.close());

const start = (body: object, secret = house.key()) =>
  house.request('POST', '/api/v1/voice/sessions', body, { authorization: `Bearer ${secret}` });

describe('a voice session', () => {
  it('answers a token that carries the whole session, and where to take it', async () => {
    const { status, body } = await start({
      agent_id: 'echo',
      direction: 'outbound',
      from: '+15550100',
      lead_id: '884',
      metadata: { campaign: 'spring' },
    });
    expect(status).toBe(200);
    expect(body.data).toEqual({
      session_id: expect.stringMatching(/^vs_/),
      call_id: expect.stringMatching(/^call_/),
      token: expect.any(String),
      ws_url: 'ws://127.0.0.1:8081/media/native',
      expires_at: new Date(house.clock.unixMs() + 300_000).toISOString(),
      region: 'local',
    });
    const claims = await verifySessionToken(body.data.token, [SIGNING_SECRET], house.clock.unixMs());
    expect(claims).toMatchObject({
      sessionId: body.data.session_id,
      callId: body.data.call_id,
      workspaceId: 'ws_default',
      agentId: 'echo',
      direction: 'outbound',
      from: '+15550100',
      to: null,
      leadId: '884',
      testMode: false,
      metadata: { campaign: 'spring' },
    });
  });

  it('is served at the address of the published pages too', async () => {
    const url = '/functions/v1/voice-runtime-session';
    const headers = { 'x-api-key': house.key() };
    const { status, body } = await house.request('POST', url, { agent_id: 'silent' }, headers);
    expect([status, body.data.region]).toEqual([200, 'local']);
  });

  it('needs no agent, but one that exists', async () => {
    expect((await start({})).status).toBe(200);
    const { status, body } = await start({ agent_id: 'agt_nobody' });
    expect([status, body.error.code, body.error.field]).toEqual([404, 'not_found', 'agent_id']);
  });

  it('takes at most 2 KiB of metadata', async () => {
    const fitting = { text: 'ä'.repeat(1_018) };
    expect(Buffer.byteLength(JSON.stringify(fitting))).toBe(2_047);
    expect((await start({ metadata: fitting })).status).toBe(200);
    const { status, body } = await start({ metadata: { text: 'ä'.repeat(1_019) } });
    expect([status, body.error.field]).toEqual([400, 'metadata']);
  });

  it('of a test key is a test call, always', async () => {
    const secret = house.key({ testMode: true });
    const { body } = await start({}, secret);
    const claims = await verifySessionToken(body.data.token, [SIGNING_SECRET], house.clock.unixMs());
    expect(claims?.testMode).toBe(true);
    expect((await start({ test_mode: false }, secret)).status).toBe(403);
  });

  it('is refused while no media node serves', async () => {
    house.nodes.serving = 0;
    const { status, body, headers } = await start({});
    expect([status, body.error.code, headers['retry-after']]).toEqual([503, 'unavailable', '1']);
  });

  it('is refused while every node is full, and may be asked for again', async () => {
    house.cluster.refusal = refuse('overloaded', 'every media node is full');
    const { status, body, headers } = await start({});
    expect([status, body.error.code, headers['retry-after']]).toEqual([503, 'overloaded', '1']);
  });

  it('goes where the cluster places it, and its token says in which region', async () => {
    house.cluster.place = () => ({ mediaUrl: 'wss://n1.south.example.com/', region: 'south' });
    const { body } = await start({ region: 'south' });
    expect([body.data.ws_url, body.data.region]).toEqual([
      'wss://n1.south.example.com/media/native',
      'south',
    ]);
    const claims = await verifySessionToken(body.data.token, [SIGNING_SECRET], house.clock.unixMs());
    expect(claims?.region).toBe('south');
  });

  it('is refused for a region that is not served here', async () => {
    expect((await start({ region: 'local' })).status).toBe(200);
    expect((await start({ region: 'eu-west' })).body.error.field).toBe('region');
  });
});

describe('a session for an AudioSocket', () => {
  const UUID = '40325EC2-5efd-4bd3-805f-53576e581d13';

  async function openWithPort(): Promise<Map<string, string>> {
    const kept = new Map<string, string>();
    await house.api.close();
    house = await openTestApi(
      {},
      { audioSocketUuids: { put: async (uuid, token) => void kept.set(uuid, token) } },
    );
    return kept;
  }

  it('keeps its token under the UUID that is named, or under one of ours', async () => {
    const kept = await openWithPort();
    const named = await start({ audiosocket_uuid: UUID });
    const ours = await start({ audiosocket_uuid: 'new' });
    const made = String(ours.body.data['audiosocket_uuid']);
    expect(named.body.data['audiosocket_uuid']).toBe(UUID.toLowerCase());
    expect(made).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect([...kept]).toEqual([
      [UUID.toLowerCase(), named.body.data['token']],
      [made, ours.body.data['token']],
    ]);
  });

  it('is not made where there is no port for it, or for what is no UUID', async () => {
    expect((await start({ audiosocket_uuid: UUID })).status).toBe(422);
    await openWithPort();
    for (const wrong of ['', 'abc', `${UUID}0`, '../../etc/passwd', 7]) {
      expect((await start({ audiosocket_uuid: wrong })).status).toBe(400);
    }
  });
});
