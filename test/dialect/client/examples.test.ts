import { describe, expect, it } from 'vitest';
import { clientDialectOf } from '../../../src/dialect/client-registry.ts';
import type { ClientOptions, ClientSession } from '../../../src/dialect/client.ts';
import { PCMU_8K } from '../../../src/media/format.ts';
import { CLIENT_OPTIONS } from './client-wire.ts';
import { openInbound, payloadOf, saidBy, textBytes } from '../wire.ts';

// Messages as the protocols' own pages have them.

const GA_UPDATE = {
  type: 'session.update',
  session: {
    type: 'realtime',
    instructions: 'Be brief.',
    output_modalities: ['audio'],
    audio: {
      input: {
        format: { type: 'audio/pcmu' },
        turn_detection: {
          type: 'server_vad',
          threshold: 0.5,
          prefix_padding_ms: 300,
          silence_duration_ms: 500,
          create_response: true,
          interrupt_response: true,
        },
        transcription: { model: 'gpt-4o-mini-transcribe' },
      },
      output: { format: { type: 'audio/pcmu' }, voice: 'marin', speed: 1 },
    },
    tools: [],
  },
};

function openai(more: Partial<ClientOptions> = {}): ClientSession {
  return clientDialectOf('openai-realtime')!.openClient({ ...CLIENT_OPTIONS, ...more });
}

function started(session: ClientSession): ClientSession {
  session.read(textBytes({ type: 'session.updated', session: {} }), false, openInbound());
  return session;
}

describe('OpenAI Realtime', () => {
  it('is dialled as its page says', () => {
    expect(openai({ url: null, apiKey: 'sk-1' }).request).toEqual({
      url: 'wss://api.openai.com/v1/realtime?model=gpt-realtime',
      headers: { Authorization: 'Bearer sk-1' },
      subprotocols: [],
    });
    const azure = {
      url: 'wss://me.openai.azure.com/openai/v1/realtime?model=mine',
      options: { key_header: 'api-key' },
    };
    expect(openai({ ...azure, apiKey: 'k', model: 'other' }).request).toMatchObject({
      url: 'wss://me.openai.azure.com/openai/v1/realtime?model=mine',
      headers: { 'api-key': 'k' },
    });
    expect(openai({ options: { api_version: 'beta' } }).request.headers).toMatchObject({
      'OpenAI-Beta': 'realtime=v1',
    });
  });

  it('is set up as its page says', () => {
    const turn_detection = { threshold: 0.5, prefix_padding_ms: 300, silence_duration_ms: 500 };
    const settings = { audio: { input: { turn_detection }, output: { speed: 1 } } };
    const session = openai({ instructions: 'Be brief.', voice: 'marin', settings });
    expect(session.hello().map(saidBy)).toEqual([GA_UPDATE]);
  });

  it('is given audio, context and cuts as its page says', () => {
    const session = started(openai());
    const frame = Uint8Array.from([0x7f, 0xff, 0x7f]);
    expect(Buffer.from(session.writeAudio(frame)!).toString()).toBe(
      '{"type":"input_audio_buffer.append","audio":"f/9/"}',
    );
    expect(session.writeContext!('caller pressed 5').map(saidBy)).toEqual([
      {
        type: 'conversation.item.create',
        item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'caller pressed 5' }] },
      },
    ]);
  });

  it('is understood as its page says', () => {
    const session = openai();
    const into = openInbound();
    const read = (message: object): unknown => session.read(textBytes(message), false, into);
    const created = { type: 'realtime', model: 'gpt-realtime' };
    expect(read({ type: 'session.created', event_id: 'event_1', session: created })).toEqual({
      type: 'ignored',
    });
    expect(read({ type: 'session.updated', session: GA_UPDATE.session })).toMatchObject({
      type: 'started',
      inbound: PCMU_8K,
      outbound: PCMU_8K,
    });
    expect(
      read({
        type: 'input_audio_buffer.speech_started',
        event_id: 'event_9',
        audio_start_ms: 3160,
        item_id: 'item_U4',
      }),
    ).toEqual({ type: 'caller_speaking' });
    const response = { id: 'resp_7', status: 'in_progress' };
    expect(read({ type: 'response.created', event_id: 'event_14', response })).toEqual({ type: 'ignored' });
    expect(
      read({
        type: 'response.output_item.added',
        event_id: 'event_15',
        response_id: 'resp_7',
        output_index: 0,
        item: { id: 'item_A5', type: 'message', role: 'assistant' },
      }),
    ).toEqual({ type: 'agent_speaking', itemId: 'item_A5' });
    const delta = {
      type: 'response.output_audio.delta',
      event_id: 'event_20',
      response_id: 'resp_7',
      item_id: 'item_A5',
      output_index: 0,
      content_index: 0,
      delta: Buffer.alloc(12_000, 0x7f).toString('base64'),
    };
    expect(read(delta)).toEqual({ type: 'audio' });
    expect(payloadOf(into)).toEqual(Buffer.alloc(12_000, 0x7f));
    expect(session.writeInterrupted!('item_A5', 1480).map(saidBy)).toEqual([
      { type: 'conversation.item.truncate', item_id: 'item_A5', content_index: 0, audio_end_ms: 1480 },
      { type: 'response.cancel' },
    ]);
    // What still comes of the response that was cut is late.
    expect(read(delta)).toEqual({ type: 'ignored' });
    expect(read({ type: 'response.done', response: { id: 'resp_7', status: 'completed' } })).toEqual({
      type: 'ignored',
    });
    const error = { type: 'invalid_request_error', code: 'invalid_value', message: '…', event_id: 'cli_3' };
    expect(read({ type: 'error', event_id: 'event_40', error })).toEqual({
      type: 'agent_error',
      code: 'invalid_value',
      detail: '…',
      isFatal: false,
    });
  });

  it('reads a delta with escapes, blanks and keys in any order as well', () => {
    const session = started(openai());
    const into = openInbound();
    const odd = [
      '{"delta":"f\\u002f9/","type":"response.output_audio.delta","item_id":"é","response_id":"r"}',
      ' { "type" : "response.audio.delta" , "delta" : "f/9/" , "extra" : {"a":[1]} } ',
      '{"type":"response.output_audio.delta","delta":"f/9/","item_id":7,"response_id":null}',
    ];
    for (const text of odd) {
      expect(session.read(textBytes(text), false, into), `for ${text}`).toEqual({ type: 'audio' });
      expect(payloadOf(into)).toEqual(Buffer.from([0x7f, 0xff, 0x7f]));
    }
    const broken = '{"type":"response.output_audio.delta","delta":"f/9*"}';
    expect(session.read(textBytes(broken), false, into)).toMatchObject({ fault: 'protocol_violation' });
  });
});

describe('Deepgram', () => {
  it('is dialled at the host of its SDK, or of its specification', () => {
    const agent = clientDialectOf('deepgram-agent')!;
    const requestOf = (options: Record<string, string>): unknown =>
      agent.openClient({ ...CLIENT_OPTIONS, url: null, apiKey: 'k', options }).request;
    expect(requestOf({})).toEqual({
      url: 'wss://agent.deepgram.com/v1/agent/converse',
      headers: { Authorization: 'Token k' },
      subprotocols: [],
    });
    expect(requestOf({ agent_host: 'api.deepgram.com', token_scheme: 'bearer' })).toMatchObject({
      url: 'wss://api.deepgram.com/v1/agent/converse',
      headers: { Authorization: 'Bearer k' },
    });
  });

  it('finishes what it heard when it is asked', () => {
    const session = clientDialectOf('deepgram-stt')!.openClient({ ...CLIENT_OPTIONS, url: null });
    expect(session.writeFinalize!().map(saidBy)).toEqual([{ type: 'Finalize' }]);
    expect(saidBy(session.writeKeepAlive!())).toEqual({ type: 'KeepAlive' });
    expect(saidBy(session.writeEnd('hangup'))).toEqual({ type: 'CloseStream' });
  });
});

describe('a URL of a backend', () => {
  it.each(['http://a.example/', 'wss://user:key@a.example/', 'nothing', ''])('is not %j', (url) => {
    for (const name of ['openai-realtime', 'deepgram-agent', 'native', 'twilio']) {
      const open = (): unknown => clientDialectOf(name)!.openClient({ ...CLIENT_OPTIONS, url });
      expect(open).toThrow(expect.objectContaining({ code: 'invalid_argument' }) as Error);
    }
  });

  it('is needed where the protocol has none of its own', () => {
    const open = (): unknown => clientDialectOf('twilio')!.openClient({ ...CLIENT_OPTIONS, url: null });
    expect(open).toThrow(/url is needed/);
  });
});
