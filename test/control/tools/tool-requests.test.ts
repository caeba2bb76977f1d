import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { ToolRequests } from '../../../src/control/tools/tool-requests.ts';
import type { AgentTerms, HttpTool } from '../../../src/events/agents.ts';
import type { AgentToolAsk, AskResult } from '../../../src/events/asks.ts';
import { SchemaDesk } from '../../../src/records/inbound/schema/schema-desk.ts';
import { FakeAgents } from '../../fakes/agent-store.ts';
import { TERMS } from '../../call/agents/scripted-backends.ts';

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const PARAMETERS = {
  type: 'object',
  properties: { account: { type: 'string', pattern: '^A[0-9]+$' } },
  required: ['account'],
};

interface Heard {
  readonly headers: IncomingMessage['headers'];
  readonly method: string;
  readonly body: string;
}

/** The server of an agent's owner: answers as the test wants. */
class ToolServer {
  readonly heard: Heard[] = [];
  answer: (response: ServerResponse) => void = (response) => response.end('{"open":true}');
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { headers, method = '' } = request;
      this.heard.push({ headers, method, body: Buffer.concat(chunks).toString() });
      this.answer(response);
    });
  });

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/lookup?x=1`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

let server: ToolServer;
let url: string;
let schemas: SchemaDesk;
beforeEach(async () => {
  server = new ToolServer();
  url = await server.open();
  schemas = new SchemaDesk({ clock: systemClock, threads: 1 });
});
afterEach(async () => {
  await server.close();
  await schemas.close();
});

async function open(tool: Partial<HttpTool> = {}, egressAllow = ['127.0.0.0/8']): Promise<ToolRequests> {
  const agents = new FakeAgents();
  const request = { url, method: 'POST' as const, headers: { 'X-Key': 'k-1' }, secret: SECRET };
  const whole = { name: 'lookup', description: 'x', parameters: PARAMETERS, timeout_ms: 5_000, request };
  const terms: AgentTerms = { ...TERMS, http_tools: [{ ...whole, ...tool }] };
  const times = { createdAt: '2026-01-01', publishedAt: null };
  const place = { workspaceId: 'ws_1', testMode: false };
  await agents.create({ id: 'agt_1', ...place, draft: TERMS, published: terms, version: 1, ...times });
  return new ToolRequests({ agents, schemas, clock: systemClock, egressAllow, userAgent: 'test' });
}

function asking(args: object = { account: 'A12' }, over: Partial<AgentToolAsk> = {}): AgentToolAsk {
  const nobody = { from: '+15550100', to: null, conversation_id: 'conv_1', lead_id: null, contact_id: null };
  return {
    name: 'agent_tool',
    workspace_id: 'ws_1',
    agent_id: 'agt_1',
    tool: 'lookup',
    tool_call_id: 't-1',
    arguments_text: JSON.stringify(args),
    call: { call_id: 'call_1', test_mode: false, direction: 'inbound', ...nobody },
    ...over,
  };
}

async function answerTo(tools: ToolRequests, ask = asking()): Promise<AskResult> {
  const result = await tools.answer(ask);
  await tools.close();
  return result;
}

describe('a function of an agent', () => {
  it('is one request signed as hooks are, and its answer is the result', async () => {
    const tools = await open();
    expect(await answerTo(tools)).toEqual({ ok: true, value: { open: true } });
    const [heard] = server.heard;
    const body = new Webhook(SECRET).verify(heard!.body, heard!.headers as Record<string, string>);
    expect(body).toMatchObject({
      type: 'agent.tool_called',
      data: {
        call_id: 'call_1',
        agent_id: 'agt_1',
        tool: 'lookup',
        tool_call_id: 't-1',
        from: '+15550100',
        arguments: { account: 'A12' },
      },
    });
    expect(heard).toMatchObject({ method: 'POST', headers: { 'x-key': 'k-1' } });
    expect(heard!.headers['webhook-id']).toMatch(/^tool_/);
    expect(tools.stats.done).toBe(1);
  });

  it('may answer any JSON, or nothing', async () => {
    server.answer = (response) => response.writeHead(204).end();
    expect(await answerTo(await open())).toEqual({ ok: true, value: {} });
    server.answer = (response) => response.end('[1,2]');
    expect(await answerTo(await open())).toEqual({ ok: true, value: { result: [1, 2] } });
  });

  it('is not asked with arguments that its schema refuses', async () => {
    const tools = await open();
    const result = await answerTo(tools, asking({ account: 'B12' }));
    expect(result).toMatchObject({ ok: false, fault: 'invalid_argument' });
    expect(result).toMatchObject({ detail: expect.stringContaining('/account') as unknown });
    expect(server.heard).toEqual([]);
    expect(tools.stats.wrongArguments).toBe(1);
  });

  it('is stopped by a schema that never comes to an end', async () => {
    const properties = { account: { type: 'string', pattern: '^(a+)+$' } };
    const tools = await open({ parameters: { type: 'object', properties } });
    const result = await answerTo(tools, asking({ account: `${'a'.repeat(40)}!` }));
    expect(result).toMatchObject({ ok: false, fault: 'failed_precondition' });
    expect(server.heard).toEqual([]);
  });

  it.each([
    [
      'one megabyte',
      (response: ServerResponse) => response.end(`"${'x'.repeat(1_000_000)}"`),
      'payload_too_large',
    ],
    ['no JSON', (response: ServerResponse) => response.end('<html>'), 'failed_precondition'],
    ['404', (response: ServerResponse) => response.writeHead(404).end('no such'), 'failed_precondition'],
    ['500', (response: ServerResponse) => response.writeHead(500).end(), 'unavailable'],
    ['a redirect', (response: ServerResponse) => response.writeHead(302).end(), 'failed_precondition'],
    ['nothing but a reset', (response: ServerResponse) => response.destroy(), 'unavailable'],
  ] as const)('that answers %s is told of by a fault', async (_, answer, fault) => {
    server.answer = answer;
    expect(await answerTo(await open({ timeout_ms: 10_000 }))).toMatchObject({ ok: false, fault });
    expect(server.heard).toHaveLength(1);
  });

  it('that answers nothing in its time is told of by a fault', async () => {
    server.answer = () => undefined;
    const result = await answerTo(await open({ timeout_ms: 1_000 }));
    expect(result).toMatchObject({ ok: false, fault: 'unavailable' });
    expect(server.heard).toHaveLength(1);
  });

  it('goes nowhere that hooks may not go', async () => {
    const tools = await open({}, []);
    expect(await answerTo(tools)).toMatchObject({ ok: false, fault: 'failed_precondition' });
    expect(server.heard).toEqual([]);
    expect(tools.stats.blocked).toBe(1);
  });

  it('is nobody’s of another workspace or mode, and none that is not published', async () => {
    const elsewhere = asking({}, { workspace_id: 'ws_2' });
    expect(await answerTo(await open(), elsewhere)).toMatchObject({ fault: 'not_found' });
    expect(await answerTo(await open(), asking({}, { tool: 'other' }))).toMatchObject({ fault: 'not_found' });
    const { call } = asking();
    const testCall = asking(undefined, { call: { ...call, test_mode: true } });
    expect(await answerTo(await open(), testCall)).toMatchObject({ ok: true });
  });

  it('is refused beyond sixty-four of a workspace at once', async () => {
    const tools = await open();
    const waiting: ServerResponse[] = [];
    server.answer = (response) => void waiting.push(response);
    const asked = Array.from({ length: 64 }, () => tools.answer(asking()));
    expect(await tools.answer(asking())).toMatchObject({ fault: 'overloaded' });
    expect(tools.stats.refused).toBe(1);
    server.answer = (response) => response.end('{}');
    while (server.heard.length < 16) await new Promise((resolve) => setImmediate(resolve));
    for (const response of waiting) response.end('{}');
    expect((await Promise.all(asked)).filter(({ ok }) => ok)).toHaveLength(64);
    await tools.close();
  });
});
