import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/base/json.ts';
import { BACKEND_TLS } from '../../fakes/backend-server.ts';
import { until } from '../../fakes/until.ts';
import { OPENAI_KEY, OpenAiRealtimeServer } from '../../fakes/openai-realtime-server.ts';

// The server our own client is tested with must be shaped like the real one: here OpenAI's own client says so.

let server: OpenAiRealtimeServer;
let client: OpenAIRealtimeWS;
let heard: JsonObject[];
let errors: string[];

beforeEach(async () => {
  server = await OpenAiRealtimeServer.open('ga');
  heard = [];
  errors = [];
  const openai = new OpenAI({ apiKey: OPENAI_KEY, baseURL: server.baseUrl });
  client = new OpenAIRealtimeWS({ model: 'gpt-realtime', options: { ca: BACKEND_TLS.cert } }, openai);
  client.on('event', (event) => heard.push(event as unknown as JsonObject));
  client.on('error', (error) => errors.push(error.message));
  await until(() => has('session.created'), 'the session');
});
afterEach(async () => {
  client.socket.terminate();
  await server.close();
});

function has(type: string): boolean {
  return heard.some((event) => event['type'] === type);
}

describe("OpenAI's own client", () => {
  it('holds a whole conversation with the server', async () => {
    client.send({
      type: 'session.update',
      session: {
        type: 'realtime',
        instructions: 'Be brief.',
        output_modalities: ['audio'],
        audio: {
          input: { format: { type: 'audio/pcmu' }, turn_detection: { type: 'server_vad' } },
          output: { format: { type: 'audio/pcmu' }, voice: 'marin' },
        },
      },
    });
    await until(() => has('session.updated'), 'the update');
    client.send({ type: 'input_audio_buffer.append', audio: Buffer.alloc(160, 0x11).toString('base64') });
    client.send({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hello' }] },
    });
    client.send({ type: 'response.create' });
    const said: Buffer[] = [];
    client.on('response.output_audio.delta', ({ delta }) => said.push(Buffer.from(delta, 'base64')));
    await until(() => has('response.done'), 'the answer');
    expect(Buffer.concat(said).equals(server.speech)).toBe(true);
    expect(Buffer.concat(server.heard)).toEqual(Buffer.alloc(160, 0x11));
    expect(heard.map(({ type }) => type)).toContain('conversation.item.done');
    expect(errors).toEqual([]);
  });

  it('cuts an item to what was heard, and is told where it asks for more than there is', async () => {
    client.send({
      type: 'session.update',
      session: { type: 'realtime', audio: { output: { format: { type: 'audio/pcmu' } } } },
    });
    await until(() => has('session.updated'), 'the update');
    const response = server.beginResponse();
    server.speak(response, Buffer.alloc(800));
    client.send({
      type: 'conversation.item.truncate',
      item_id: response.itemId,
      content_index: 0,
      audio_end_ms: 60,
    });
    await until(() => has('conversation.item.truncated'), 'the cut');
    client.send({ type: 'response.cancel' });
    await until(() => has('response.done'), 'the end of the response');
    client.send({
      type: 'conversation.item.truncate',
      item_id: response.itemId,
      content_index: 0,
      audio_end_ms: 101,
    });
    await until(() => errors.length > 0, 'the error');
    expect(errors[0]).toContain('invalid_value');
  });

  it('is called for functions and gives their results', async () => {
    const calls: JsonObject[] = [];
    client.on('response.function_call_arguments.done', ({ call_id, name, arguments: text }) => {
      calls.push({ call_id, name, text });
      client.send({
        type: 'conversation.item.create',
        item: { type: 'function_call_output', call_id, output: '{"balance":42}' },
      });
    });
    server.callFunctions({ id: 'call_1', name: 'lookup', arguments: '{"id":42}' });
    await until(() => server.items.length === 1, 'the result');
    expect(calls).toEqual([{ call_id: 'call_1', name: 'lookup', text: '{"id":42}' }]);
    expect(server.items).toMatchObject([{ type: 'function_call_output', call_id: 'call_1' }]);
  });

  it('is refused with a wrong key', async () => {
    const openai = new OpenAI({ apiKey: 'sk-wrong', baseURL: server.baseUrl });
    const stranger = new OpenAIRealtimeWS(
      { model: 'gpt-realtime', options: { ca: BACKEND_TLS.cert } },
      openai,
    );
    const refused: string[] = [];
    stranger.on('error', (error) => refused.push(error.message));
    await until(() => refused.length > 0, 'the refusal');
    expect(refused.join(' ')).toContain('401');
  });
});
