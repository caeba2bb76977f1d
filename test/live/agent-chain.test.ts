import { expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { BackendServer } from '../fakes/backend-server.ts';
import { DEEPGRAM_KEY, DeepgramServer } from '../fakes/deepgram-server.ts';
import { OPENAI_KEY, OpenAiRealtimeServer } from '../fakes/openai-realtime-server.ts';
import { House, until } from './house.ts';
import { TwilioCaller } from './twilio-caller.ts';

const SPEECH = Buffer.alloc(160, 0x2a);

it('a caller by Twilio is answered by the third of three backends', async () => {
  const refuses = await BackendServer.open(() => {}, { refuse: () => 401 });
  const stalls = await BackendServer.open(() => {}, { subprotocol: 'omnivoice.v1' });
  const said: string[] = [];
  const answers = await BackendServer.open(
    (socket: WebSocket) => {
      socket.on('message', (message: Buffer, isBinary) => {
        if (isBinary || said.length > 0) return;
        said.push(message.toString());
        socket.send('{"type":"started"}');
        for (let i = 0; i < 50; i++) socket.send(SPEECH, { binary: true });
      });
    },
    { subprotocol: 'omnivoice.v1' },
  );
  const house = await House.open({ EGRESS_ALLOW: '127.0.0.0/8,::1/128' });
  try {
    const ask = async (path: string, body: object): Promise<Record<string, string>> => {
      const answer = await fetch(`${house.ready.api_url}/api/v1${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${house.ready.api_key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const { data, error } = (await answer.json()) as { data: Record<string, string>; error: unknown };
      expect(error).toBeUndefined();
      return data;
    };
    const backends = [refuses, stalls, answers].map(({ url }, index) => ({
      name: `backend-${index}`,
      dialect: 'native',
      url,
    }));
    const wish = { name: 'Front desk', greeting: 'Hello.', first_audio_timeout_ms: 1_000, backends };
    const agent = await ask('/agents', wish);
    await ask(`/agents/${agent['id']!}/publish`, {});
    const { url } = await ask('/voice/stream-credentials', { dialect: 'twilio', agent_id: agent['id'] });
    const caller = await TwilioCaller.dial(url!);
    const heardSpeech = (): number => caller.heard.filter((frame) => frame.equals(SPEECH)).length;
    await until('the third backend to be heard', () => heardSpeech() >= 50);
    expect(said[0]).toContain('Hello.');
    expect(refuses.requests).toHaveLength(1);
    expect(stalls.requests).toHaveLength(1);
    caller.hangUp();
    await expectFailure(house, refuses.url);
  } finally {
    await house.close();
    for (const server of [refuses, stalls, answers]) await server.close();
  }
}, 60_000);

/** An agent of which nobody answers: its call is told of, and the agent itself as well. */
async function expectFailure(house: House, url: string): Promise<void> {
  const own = <T>(method: string, path: string, body?: object): Promise<T> =>
    house.api<T>(method, path, body, house.ready.api_key);
  const backends = [{ name: 'only', dialect: 'native', url }];
  const { id } = await own<{ id: string }>('POST', '/agents', { name: 'Nobody', backends });
  await own('POST', `/agents/${id}/publish`, {});
  const wish = { dialect: 'twilio', agent_id: id };
  const credential = await own<{ url: string }>('POST', '/voice/stream-credentials', wish);
  const caller = await TwilioCaller.dial(credential.url);
  await until('the end of the call', () => caller.closeCode !== undefined);
  type Told = { type: string; sequence: number; resource: { id: string }; data: object };
  let told: Told[] = [];
  const look = async (): Promise<void> => {
    told = await own<Told[]>('GET', '/events?types=agent.failed');
  };
  await look();
  await until('the agent to be told of', () => {
    if (told.length === 0) void look();
    return told.length > 0;
  });
  const [failed] = told;
  expect([failed!.resource.id, failed!.sequence]).toEqual([id, 2]);
  expect(failed!.data).toMatchObject({ agent_id: id, provider: 'only', error: 'rejected', calls: 1 });
}

it('an OpenAI-shaped server refuses, a Deepgram-shaped one stalls, and another OpenAI-shaped one answers', async () => {
  const refuses = await OpenAiRealtimeServer.open('ga', false);
  const stalls = await DeepgramServer.open();
  stalls.isApplyingSettings = false;
  const answers = await OpenAiRealtimeServer.open('ga', false);
  answers.speech = Buffer.alloc(160 * 100, 0x2a);
  const house = await House.open({ EGRESS_ALLOW: '127.0.0.0/8,::1/128' });
  try {
    const own = <T>(path: string, body: object): Promise<T> =>
      house.api<T>('POST', path, body, house.ready.api_key);
    const dialect = 'openai-realtime';
    const backends = [
      { name: 'wrong-key', dialect, url: refuses.url, model: 'm', api_key: 'sk-other' },
      { name: 'slow', dialect: 'deepgram-agent', url: stalls.agentUrl, api_key: DEEPGRAM_KEY },
      { name: 'good', dialect, url: answers.url, model: 'm', api_key: OPENAI_KEY },
    ];
    const wish = { name: 'Front desk', greeting: 'Hello.', first_audio_timeout_ms: 1_000, backends };
    const { id } = await own<{ id: string }>('/agents', wish);
    await own(`/agents/${id}/publish`, {});
    const credential = { dialect: 'twilio', agent_id: id };
    const { url } = await own<{ url: string }>('/voice/stream-credentials', credential);
    const caller = await TwilioCaller.dial(url);
    const heardSpeech = (): number => caller.heard.filter((frame) => frame.equals(SPEECH)).length;
    await until('the third backend to be heard', () => heardSpeech() >= 1);
    await until('all it says', () => heardSpeech() === 100);
    const [live] = await house.api<{ id: string }[]>('GET', '/calls?state=active');
    const call = await house.api<{ timeline: { type: string }[] }>('GET', `/calls/${live!.id}`);
    expect(call.timeline.filter(({ type }) => type === 'agent_failed')).toHaveLength(2);
    expect(refuses.requests).toHaveLength(1);
    expect(stalls.settings).toMatchObject({ type: 'Settings' });
    caller.hangUp();
    await until('the end', () => caller.closeCode !== undefined);
    // Without a call it is the same: one refuses, one stalls, one is heard.
    const tried = await own<{ ok: boolean; backends: object[] }>(`/agents/${id}/test`, {});
    expect(tried).toMatchObject({
      ok: true,
      backends: [
        { name: 'wrong-key', ok: false, error: 'rejected' },
        { name: 'slow', ok: false, error: 'first_audio_timeout' },
        { name: 'good', ok: true, error: null },
      ],
    });
  } finally {
    await house.close();
    for (const server of [refuses, stalls, answers]) await server.close();
  }
}, 60_000);
