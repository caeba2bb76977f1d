import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.ts';
import { OPENAI_KEY, OpenAiRealtimeServer } from '../fakes/openai-realtime-server.ts';
import { Guest, type Ticket } from './guest.ts';
import { House, until } from './house.ts';
import { StreamReader } from './stream-reader.ts';
import { TwilioCaller } from './twilio-caller.ts';

const SECRET = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
const SPEECH_CODE = 0x5a;
const PARAMETERS = {
  type: 'object',
  properties: { account: { type: 'string', pattern: '^A[0-9]+$' } },
  required: ['account'],
};

/** The owner's server: one path answers, one says too much, one says nothing, one is broken. */
function openToolServer(heard: JsonObject[]): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      heard.push(new Webhook(SECRET).verify(body, request.headers as Record<string, string>) as JsonObject);
      if (request.url === '/good') response.end('{"balance":12}');
      if (request.url === '/large') response.end(`"${'x'.repeat(1_000_000)}"`);
      if (request.url === '/broken') response.writeHead(500).end();
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

let house: House;
let backend: OpenAiRealtimeServer;
let tools: Server;
const heard: JsonObject[] = [];
beforeAll(async () => {
  backend = await OpenAiRealtimeServer.open('ga', false);
  tools = await openToolServer(heard);
  house = await House.open({ EGRESS_ALLOW: '127.0.0.0/8,::1/128' });
});
afterAll(async () => {
  await house?.close();
  await backend?.close();
  tools?.closeAllConnections();
  tools?.close();
});

/** What the command line's own key may not do. */
const asOwner = <T>(path: string, body: object): Promise<T> =>
  house.api<T>('POST', path, body, house.ready.api_key);

async function publishedAgent(): Promise<string> {
  const { port } = tools.address() as AddressInfo;
  const tool = (name: string, timeout_ms: number) => ({
    name,
    description: `The ${name} one.`,
    url: `http://127.0.0.1:${port}/${name}`,
    secret: SECRET,
    parameters: PARAMETERS,
    timeout_ms,
  });
  const { id } = await asOwner<{ id: string }>('/agents', {
    name: 'Front desk',
    greeting: 'Hello.',
    tools: ['transfer_to_human', 'end_call'],
    transfer: { target: { type: 'queue', to: 'sales' }, mode: 'cold', hold: 'silence' },
    http_tools: [tool('good', 5_000), tool('large', 5_000), tool('broken', 5_000), tool('hanging', 1_000)],
    backends: [{ dialect: 'openai-realtime', url: backend.url, api_key: OPENAI_KEY, model: 'gpt-realtime' }],
  });
  await asOwner(`/agents/${id}/publish`, {});
  return id;
}

function resultOf(callId: string): JsonObject | undefined {
  const item = backend.items.find(
    (one) => one['type'] === 'function_call_output' && one['call_id'] === callId,
  );
  return item === undefined ? undefined : (JSON.parse(String(item['output'])) as JsonObject);
}

it('an agent on an OpenAI-shaped server uses its own tools, and then hands over to a human', async () => {
  const agent_id = await publishedAgent();
  const reader = new StreamReader(house);
  await reader.open();
  const { url } = await house.api<{ url: string }>('POST', '/voice/stream-credentials', {
    dialect: 'twilio',
    agent_id,
  });
  const caller = await TwilioCaller.dial(url);
  void caller.speak(Buffer.alloc(160, 0xff), true);
  const speechHeard = (): number => caller.heard.filter((frame) => frame[80] === SPEECH_CODE).length;
  await until('the greeting', () => speechHeard() >= 10);
  // Sound goes on while tools are under way.
  backend.isHoldingResponses = true;
  const response = backend.beginResponse();
  const account = JSON.stringify({ account: 'A1' });
  const calls = ['good', 'large', 'broken', 'hanging'].map((name) => ({
    id: name,
    name,
    arguments: account,
  }));
  backend.speak(response, Buffer.alloc(160 * 100, SPEECH_CODE));
  backend.endResponse(response, 'One moment.');
  backend.callFunctions(...calls, { id: 'wrong', name: 'good', arguments: '{"account":"B1"}' });
  await until('every result', () => [...calls.map(({ id }) => id), 'wrong'].every((id) => resultOf(id)));
  expect(resultOf('good')).toEqual({ balance: 12 });
  expect(resultOf('large')).toMatchObject({ error: 'payload_too_large' });
  expect(resultOf('broken')).toMatchObject({ error: 'unavailable' });
  expect(resultOf('hanging')).toMatchObject({ error: 'unavailable' });
  expect(resultOf('wrong')).toMatchObject({ error: 'invalid_argument' });
  expect(heard).toHaveLength(4);
  await until('all that was said', () => speechHeard() >= 110);
  backend.finishActive();
  backend.callFunctions({ id: 'human', name: 'transfer_to_human', arguments: '{"reason":"asked for one"}' });
  await until('the result', () => resultOf('human') !== undefined);
  expect(Object.keys(resultOf('human')!).toSorted()).toEqual(['handover_id', 'mode', 'state']);
  const started = () => reader.events.find(({ type }) => type === 'handover_started');
  await until('the handover', () => started() !== undefined);
  const human = await Guest.join(started()!.data['join'] as Ticket);
  void human.speak(() => Buffer.alloc(160, 0x10), 50);
  const typesSoFar = (): readonly string[] => reader.events.map(({ type }) => type);
  await until('the success', () => typesSoFar().includes('transfer_success'));
  await until('the human', () => caller.heard.some((frame) => frame[80] === 0x10));
  caller.hangUp();
  await until('the end', () => reader.completedCalls === 1);
  const results = reader.events.filter(({ type }) => type === 'tool_result').map(({ data }) => data['tool']);
  expect(results).toHaveLength(6);
  expect(new Set(results)).toEqual(new Set(['broken', 'good', 'hanging', 'large', 'transfer_to_human']));
  const metrics = await (await fetch(`${house.ready.api_url}/metrics`)).text();
  expect(metrics).toMatch(/limit="agent_tool_result_size"[^\n]* 1\n/);
  reader.close();
}, 60_000);
