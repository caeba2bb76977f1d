import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentBackend } from '../../../src/call/agent-dialler.ts';
import { decodeMulawInto, encodeMulawInto } from '../../../src/media/codecs/g711.ts';
import { BackendHouse, type Talk } from '../../fakes/backend-house.ts';
import { until } from '../../fakes/until.ts';
import { OPENAI_KEY, OpenAiRealtimeServer } from '../../fakes/openai-realtime-server.ts';
import { rampFrame } from '../wire.ts';

const TOOL = {
  name: 'lookup',
  description: 'Looks an account up.',
  parameters: { type: 'object', properties: { id: { type: 'number' } } },
};

describe.each(['ga', 'beta'] as const)('OpenAI Realtime, %s names, over a real socket', (generation) => {
  let server: OpenAiRealtimeServer;
  let house: BackendHouse;
  beforeEach(async () => {
    server = await OpenAiRealtimeServer.open(generation);
    house = new BackendHouse();
  });
  afterEach(async () => {
    await house.closeSoundly();
    await server.close();
  });

  function backend(more: Partial<AgentBackend> = {}): Partial<AgentBackend> {
    return {
      dialect: 'openai-realtime',
      url: `${server.url}?model=gpt-realtime`,
      apiKey: OPENAI_KEY,
      options: { api_version: generation },
      ...more,
    };
  }

  function dial(more: Partial<AgentBackend> = {}): Promise<Talk> {
    return house.dial(backend(more)).isUp();
  }

  /** Errors the backend answered with: whatever it has to say is said once a fence has come through. */
  async function errorsOf(talk: Talk): Promise<readonly unknown[]> {
    const items = server.items.length;
    talk.line!.tell('fence');
    await until(() => server.items.length > items, 'the fence');
    server.say({ type: 'error', error: { code: 'fence', message: '' } });
    const isFence = (input: object): boolean => 'code' in input && input.code === 'fence';
    await until(() => talk.inputs.some(isFence), 'the fence to come back');
    return talk.inputs.filter((input) => input.type === 'agent_error' && !isFence(input));
  }

  it('carries audio both ways, byte for byte', async () => {
    const talk = await dial();
    expect(talk.leg.codecName).toBe('PCMU/8000');
    const pcm = new Int16Array(160);
    for (let index = 0; index < 50; index++) {
      decodeMulawInto(rampFrame(index), 160, pcm);
      talk.leg.forward(pcm);
      await until(() => server.heard.length === index + 1, 'the caller to be heard');
    }
    const spoken = Uint8Array.from(Array.from({ length: 50 }, (_, i) => [...rampFrame(i)]).flat());
    expect(Buffer.concat(server.heard).equals(asEncoded(spoken))).toBe(true);

    const speech = Buffer.from(Array.from({ length: 1600 }, (_, i) => i & 0xff));
    const response = server.beginResponse();
    // Deltas need not be whole frames.
    for (let at = 0; at < speech.length; at += 300) server.speak(response, speech.subarray(at, at + 300));
    server.endResponse(response, 'Hello.');
    await talk.hears('transcript', 2);
    const decoded = new Int16Array(1600);
    decodeMulawInto(speech, speech.length, decoded);
    expect(talk.samples).toEqual(decoded);
    const kinds = ['agent_speaking', 'transcript', 'agent_spoke', 'transcript'];
    expect(talk.inputs.map(({ type }) => type)).toEqual(kinds);
  });

  it('says who the agent is, greets, and names its tools', async () => {
    const talk = await dial({
      instructions: 'Be brief.',
      voice: 'marin',
      language: 'en',
      greeting: 'Good morning, this is "Ada".',
      tools: [TOOL],
    });
    await talk.hears('agent_spoke');
    expect(server.session).toMatchObject({
      instructions: 'Be brief.',
      tools: [{ type: 'function', ...TOOL }],
    });
    expect(server.told('response.create')).toMatchObject([
      { response: { instructions: expect.stringContaining('\\"Ada\\"') as string } },
    ]);
    expect(talk.samples).toHaveLength(server.speech.length);
  });

  it('replays what was said, and does not greet again', async () => {
    await dial({
      greeting: 'Good morning.',
      history: [
        { speaker: 'agent', text: 'Good morning.' },
        { speaker: 'caller', text: 'My balance, please.' },
      ],
    });
    await until(() => server.items.length === 2, 'the history');
    const type = generation === 'ga' ? 'output_text' : 'text';
    expect(server.items).toMatchObject([
      { role: 'assistant', content: [{ type, text: 'Good morning.' }] },
      { role: 'user', content: [{ type: 'input_text', text: 'My balance, please.' }] },
    ]);
    expect(server.told('response.create')).toEqual([]);
  });

  it('is interrupted by our ears: cut to what was heard, stopped, and late audio is dropped', async () => {
    const talk = await dial();
    const response = server.beginResponse();
    server.speak(response, Buffer.alloc(1600));
    await until(() => talk.frames.length === 10, 'the speech');
    talk.line!.interrupt(response.itemId, 119.6);
    server.speak(response, Buffer.alloc(800));
    await until(() => server.told('response.cancel').length === 1, 'the stop');
    expect(server.told('conversation.item.truncate')).toEqual([
      { type: 'conversation.item.truncate', item_id: response.itemId, content_index: 0, audio_end_ms: 119 },
    ]);
    const next = server.beginResponse();
    server.speak(next, Buffer.alloc(160, 1));
    await until(() => talk.frames.length === 11, 'the next speech');
    expect(talk.frames).toHaveLength(11);
    expect(await errorsOf(talk)).toEqual([]);
  });

  it('stops by itself when its own ears hear the caller: no cancel is sent twice', async () => {
    const talk = await dial();
    const response = server.beginResponse();
    server.speak(response, Buffer.alloc(1600));
    await talk.hears('agent_speaking');
    server.hearCaller(3160, 4890, 'wait a moment');
    await talk.hears('caller_speaking');
    talk.line!.interrupt(null, 60);
    await until(() => server.told('conversation.item.truncate').length === 1, 'the cut');
    expect(server.told('response.cancel')).toEqual([]);
    const [, said] = (await talk.hears('transcript', 2)) as [unknown, unknown];
    expect(said).toMatchObject({
      speaker: 'caller',
      text: 'wait a moment',
      isFinal: true,
      startMs: 3160,
      endMs: 4890,
    });
    expect(await errorsOf(talk)).toEqual([]);
  });

  it('is never told to cut more than it sent', async () => {
    const talk = await dial();
    const response = server.beginResponse();
    server.speak(response, Buffer.alloc(800));
    await until(() => talk.frames.length === 5, 'the speech');
    talk.line!.interrupt(response.itemId, 500);
    await until(() => server.told('response.cancel').length === 1, 'the stop');
    expect(server.told('conversation.item.truncate')).toEqual([]);
    expect(await errorsOf(talk)).toEqual([]);
  });

  it('calls functions and speaks of their results once all are there', async () => {
    const talk = await dial({ tools: [TOOL] });
    server.isHoldingResponses = true;
    server.callFunctions(
      { id: 'call_1', name: 'lookup', arguments: '{"id":1}' },
      { id: 'call_2', name: 'lookup', arguments: '{"id":2' },
    );
    expect(await talk.hears('tool_call', 2)).toEqual([
      { type: 'tool_call', id: 'call_1', name: 'lookup', argumentsText: '{"id":1}' },
      { type: 'tool_call', id: 'call_2', name: 'lookup', argumentsText: '{"id":2' },
    ]);
    talk.line!.answerTool({ id: 'call_1', name: 'lookup', ok: true, value: { balance: 42 } });
    talk.line!.answerTool({ id: 'call_2', name: 'lookup', ok: false, value: { error: 'no JSON' } });
    await until(() => server.items.length === 2, 'the results');
    // The response that called is still being made: another may not be asked for.
    expect(server.told('response.create')).toEqual([]);
    server.isHoldingResponses = false;
    server.finishActive();
    await talk.hears('agent_spoke');
    expect(server.told('response.create')).toHaveLength(1);
    expect(server.items).toMatchObject([
      { type: 'function_call_output', call_id: 'call_1', output: '{"balance":42}' },
      { type: 'function_call_output', call_id: 'call_2', output: '{"error":"no JSON"}' },
    ]);
    expect(talk.inputs.filter(({ type }) => type === 'tool_call')).toHaveLength(2);
  });

  it('is told what the caller did not say', async () => {
    const talk = await dial();
    expect(talk.line!.tell('caller pressed 5')).toBe(true);
    await until(() => server.items.length === 1, 'the item');
    expect(server.items).toMatchObject([
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'caller pressed 5' }] },
    ]);
  });

  it('says what went wrong, and whether it is over', async () => {
    const talk = await dial();
    server.say({ type: 'error', error: { type: 'invalid_request_error', code: 'bad', message: 'no' } });
    server.say({
      type: 'error',
      error: { type: 'invalid_request_error', code: 'session_expired', message: 'x' },
    });
    const status_details = { type: 'failed', error: { type: 'server_error', message: 'sorry' } };
    server.say({ type: 'response.done', response: { id: 'resp_9', status: 'failed', status_details } });
    expect(await talk.hears('agent_error', 3)).toEqual([
      { type: 'agent_error', code: 'bad', detail: 'no', isFatal: false },
      { type: 'agent_error', code: 'session_expired', detail: 'x', isFatal: true },
      { type: 'agent_error', code: 'response_failed', detail: 'sorry', isFatal: false },
    ]);
  });

  it('takes a megabyte of speech in one message', async () => {
    const talk = await dial();
    const response = server.beginResponse();
    const speech = Buffer.alloc(800_000, 0x21);
    server.speak(response, speech);
    await until(() => {
      house.clock.advance(0);
      return talk.frames.length === 5_000;
    }, 'the speech');
    expect(talk.leg.ingress.stats.receivedFrames).toBe(5_000);
  });

  it('speaks the other formats where they are wanted', async () => {
    const audio = { input: { format: { type: 'audio/pcma' } }, output: { format: { type: 'audio/pcma' } } };
    const beta = { input_audio_format: 'g711_alaw', output_audio_format: 'g711_alaw' };
    const talk = await dial({ settings: generation === 'ga' ? { audio } : beta });
    expect(talk.leg.codecName).toBe('PCMA/8000');
  });

  it('is lost when its socket breaks, and a clean close is no hang-up', async () => {
    const talk = await dial();
    server.hangUp(1000);
    await until(() => talk.isLost, 'the loss');
    expect(talk.inputs).toEqual([]);
  });

  it('fails at once with a wrong key, a bad setting, and no chance', async () => {
    const wrongKey = house.dial(backend({ apiKey: 'sk-wrong' }));
    expect(await wrongKey.hasFailed()).toEqual({ error: 'rejected', detail: 'HTTP 401' });
    const format = { input_audio_format: 'mp3', output_audio_format: 'mp3' };
    const audio = { output: { format: { type: 'audio/mp3' } } };
    const bad = house.dial(backend({ settings: generation === 'ga' ? { audio } : format }));
    expect(await bad.hasFailed()).toMatchObject({ error: 'backend_error' });
    const nowhere = house.dial(backend({ url: 'https://example.com/' }));
    house.clock.advance(0);
    expect(await nowhere.hasFailed()).toMatchObject({ error: 'invalid_argument' });
    expect(house.dialler.stats.dialsByResult).toMatchObject({ rejected: 1, backend_error: 1, started: 0 });
    expect(house.groups.legs).toBe(0);
  });
});

/** Mu-law has two codes for zero; what is encoded is the positive one. */
function asEncoded(bytes: Uint8Array): Buffer {
  const samples = new Int16Array(bytes.length);
  decodeMulawInto(bytes, bytes.length, samples);
  const encoded = Buffer.alloc(bytes.length);
  encodeMulawInto(samples, encoded);
  return encoded;
}
