import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentBackend } from '../../../src/call/agent-dialler.ts';
import { BackendHouse, type Talk } from '../../fakes/backend-house.ts';
import { DEEPGRAM_KEY, DeepgramServer } from '../../fakes/deepgram-server.ts';
import { until } from '../../fakes/until.ts';

let server: DeepgramServer;
let house: BackendHouse;
beforeEach(async () => {
  server = await DeepgramServer.open();
  house = new BackendHouse();
});
afterEach(async () => {
  await house.closeSoundly();
  await server.close();
});

function backend(more: Partial<AgentBackend>): Partial<AgentBackend> {
  return { dialect: 'deepgram-agent', url: server.agentUrl, apiKey: DEEPGRAM_KEY, ...more };
}

function dial(more: Partial<AgentBackend> = {}): Promise<Talk> {
  return house.dial(backend(more)).isUp();
}

/** One frame of a tone nobody mistakes for silence. */
const FRAME = Int16Array.from({ length: 160 }, (_, i) => (i % 8) * 1000);

describe('a Deepgram agent', () => {
  it('is set up as its page says', async () => {
    await dial({ instructions: 'Be brief.', language: 'en', greeting: 'Hello' });
    expect(server.settings).toEqual({
      type: 'Settings',
      audio: {
        input: { encoding: 'mulaw', sample_rate: 8000 },
        output: { encoding: 'mulaw', sample_rate: 8000, container: 'none' },
      },
      agent: {
        language: 'en',
        listen: { provider: { type: 'deepgram', model: 'nova-3' } },
        think: { provider: { type: 'open_ai', model: 'gpt-4o-mini' }, prompt: 'Be brief.' },
        speak: { provider: { type: 'deepgram', model: 'aura-2-thalia-en' } },
        greeting: 'Hello',
      },
    });
  });

  it('is told of tools and of what was said, and does not greet again', async () => {
    const tool = { name: 'lookup', description: 'Looks up.', parameters: { type: 'object' } };
    await dial({ tools: [tool], greeting: 'Hello', history: [{ speaker: 'caller', text: 'Hi.' }] });
    expect(server.settings).toMatchObject({
      agent: {
        think: { functions: [tool] },
        context: { messages: [{ type: 'History', role: 'user', content: 'Hi.' }] },
      },
    });
    expect(server.settings['agent']).not.toHaveProperty('greeting');
  });

  it('carries audio both ways', async () => {
    const talk = await dial();
    talk.leg.forward(FRAME);
    await until(() => server.heard.length === 1, 'the caller');
    expect(server.heard[0]).toHaveLength(160);
    server.say(Buffer.from(server.heard[0]!));
    await until(() => talk.frames.length === 1, 'the agent');
    // Mu-law keeps 13 bits of 16: what comes back of a sample is near it.
    const errors = FRAME.map((sample, i) => Math.abs(sample - talk.frames[0]![i]!));
    expect(Math.max(...errors)).toBeLessThan(200);
  });

  it('says what is heard, and by whom', async () => {
    const talk = await dial();
    server.say({ type: 'UserStartedSpeaking' });
    server.say({ type: 'ConversationText', role: 'user', content: 'what is my balance' });
    server.say({ type: 'AgentThinking', content: 'hm' });
    server.say({ type: 'AgentStartedSpeaking', total_latency: 0.9, tts_latency: 0.2, ttt_latency: 0.5 });
    server.say({ type: 'ConversationText', role: 'assistant', content: 'It is 42.' });
    server.say({ type: 'AgentAudioDone' });
    await talk.hears('agent_spoke');
    const said = { type: 'transcript', isFinal: true, startMs: null, endMs: null, confidence: null };
    expect(talk.inputs).toEqual([
      { type: 'caller_speaking' },
      { ...said, speaker: 'caller', text: 'what is my balance' },
      { type: 'agent_speaking', itemId: null },
      { ...said, speaker: 'agent', text: 'It is 42.' },
      { type: 'agent_spoke', itemId: null },
    ]);
  });

  it('is not heard to the end where our ears interrupted it, and heard again at its next turn', async () => {
    const talk = await dial();
    server.say(Buffer.alloc(160));
    await until(() => talk.frames.length === 1, 'the agent');
    talk.line!.interrupt(null, 20);
    server.say(Buffer.alloc(160));
    server.say({ type: 'AgentAudioDone' });
    server.say(Buffer.alloc(320));
    await until(() => talk.frames.length === 3, 'the next turn');
    expect(talk.frames).toHaveLength(3);
  });

  it('is heard at once where it had stopped by itself', async () => {
    const talk = await dial();
    server.say(Buffer.alloc(160));
    server.say({ type: 'UserStartedSpeaking' });
    await talk.hears('caller_speaking');
    talk.line!.interrupt(null, 20);
    server.say(Buffer.alloc(160));
    await until(() => talk.frames.length === 2, 'the next turn');
    expect(talk.frames).toHaveLength(2);
  });

  it('calls our functions, several at once, and leaves its own alone', async () => {
    const talk = await dial();
    const lookup = (id: string, client_side: boolean): object => ({
      id,
      name: 'lookup',
      arguments: '{"id":42}',
      client_side,
    });
    const functions = [lookup('fc_1', true), lookup('fc_0', false), lookup('fc_2', true)];
    server.say({ type: 'FunctionCallRequest', functions });
    expect(await talk.hears('tool_call', 2)).toMatchObject([{ id: 'fc_1' }, { id: 'fc_2' }]);
    talk.line!.answerTool({ id: 'fc_1', name: 'lookup', ok: true, value: { ok: true } });
    await until(() => server.told('FunctionCallResponse').length === 1, 'the result');
    expect(server.told('FunctionCallResponse')).toEqual([
      { type: 'FunctionCallResponse', id: 'fc_1', name: 'lookup', content: '{"ok":true}' },
    ]);
  });

  it('is told what the caller did not say, and that we are there when nobody speaks', async () => {
    const talk = await dial();
    talk.line!.tell('caller pressed 5');
    await until(() => server.told('InjectUserMessage').length === 1, 'the message');
    expect(server.told('InjectUserMessage')[0]).toMatchObject({ content: 'caller pressed 5' });
    await house.pass(8_500);
    await until(() => server.told('KeepAlive').length === 1, 'the sign of life');
  });

  it('says what went wrong: a warning goes on, an error does not', async () => {
    const talk = await dial();
    server.say({ type: 'Warning', description: 'slow', code: 'SLOW_THINK' });
    server.say({ type: 'Error', description: 'gone', code: 'FAILED_TO_SPEAK' });
    expect(await talk.hears('agent_error', 2)).toEqual([
      { type: 'agent_error', code: 'SLOW_THINK', detail: 'slow', isFatal: false },
      { type: 'agent_error', code: 'FAILED_TO_SPEAK', detail: 'gone', isFatal: true },
    ]);
  });

  it('fails where it does not take the settings, and where it never answers them', async () => {
    const refused = house.dial(backend({ settings: { audio: { input: { encoding: 'mp3' } } } }));
    expect(await refused.hasFailed()).toEqual({
      error: 'backend_error',
      detail: 'INVALID_SETTINGS: invalid_settings',
    });
    server.isApplyingSettings = false;
    const silent = house.dial(backend({}));
    await until(() => server.told('Settings').length === 2, 'the settings');
    await house.pass(6_000);
    expect(await silent.hasFailed()).toMatchObject({ error: 'start_timeout' });
  });
});

describe('a Deepgram recogniser', () => {
  it('is asked by its URL, hears at once, and writes down what both said', async () => {
    const talk = await dial({
      dialect: 'deepgram-stt',
      url: `${server.listenUrl}?punctuate=true`,
      language: 'de',
      settings: { endpointing: 500, smart_format: true },
    });
    const query = new URL(server.requests[0]!.url!, server.listenUrl).searchParams;
    expect(Object.fromEntries(query)).toEqual({
      punctuate: 'true',
      model: 'nova-3',
      language: 'de',
      encoding: 'mulaw',
      sample_rate: '8000',
      channels: '1',
      interim_results: 'true',
      endpointing: '500',
      utterance_end_ms: '1000',
      vad_events: 'true',
      smart_format: 'true',
    });
    talk.leg.forward(FRAME);
    await until(() => server.heard.length === 1, 'the audio');
    server.say({
      type: 'Results',
      channel_index: [0, 1],
      duration: 1.02,
      start: 3.4,
      is_final: true,
      speech_final: true,
      from_finalize: false,
      channel: { alternatives: [{ transcript: 'check my balance', confidence: 0.98, words: [] }] },
      metadata: { request_id: 'b1a2' },
    });
    server.say({ type: 'SpeechStarted', channel: [0, 1], timestamp: 3.38 });
    server.say({ type: 'UtteranceEnd', channel: [0, 1], last_word_end: 4.42 });
    const interim = { channel: { alternatives: [{ transcript: 'it is', confidence: 0.5 }] } };
    server.say({
      type: 'Results',
      channel_index: [1, 2],
      start: 5,
      duration: 1,
      is_final: false,
      ...interim,
    });
    const [caller, agent] = await talk.hears('transcript', 2);
    expect(caller).toEqual({
      type: 'transcript',
      speaker: 'caller',
      text: 'check my balance',
      isFinal: true,
      startMs: 3400,
      endMs: 4420,
      confidence: 0.98,
    });
    expect(agent).toMatchObject({ speaker: 'agent', isFinal: false, startMs: 5000, endMs: 6000 });
    expect(talk.inputs).toHaveLength(2);
  });

  it('is told when the stream ends, and closes it itself', async () => {
    const talk = await dial({ dialect: 'deepgram-stt', url: server.listenUrl });
    talk.leg.end('hangup', 1000, house.clock.nowMs());
    await until(() => server.closedWith !== undefined, 'the end');
    expect(server.events).toEqual([{ type: 'CloseStream' }]);
    await until(() => house.dialler.connections === 0, 'nothing to be left');
  });
});
