import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { POST_CALL_SCHEMA } from '../../../src/events/post-call-schema.ts';
import { callView, openTestApi } from '../open-test-api.ts';

const BASE = '/api/v1/calls/call_1';

async function openDesk(change: Parameters<typeof callView>[0] = {}) {
  const test = await openTestApi();
  test.ports.allCalls.set('call_1', callView(change));
  for (const sequence of [4, 6, 9]) {
    test.postCall.segments.push({
      sequence,
      at: '2026-11-20T12:00:01.000Z',
      legId: 'leg_1',
      speaker: 'caller',
      text: `words ${sequence}`,
      start_ms: sequence,
      end_ms: null,
    });
  }
  return test;
}

describe('the transcript of a call', () => {
  it('is read in pages, while the call runs and after', async () => {
    const desk = await openDesk();
    const first = await desk.request('GET', `${BASE}/transcript?limit=2`);
    expect(first.body.data).toEqual({
      call_id: 'call_1',
      is_complete: false,
      segments: [4, 6].map((sequence) => ({
        sequence,
        at: '2026-11-20T12:00:01.000Z',
        leg_id: 'leg_1',
        speaker: 'caller',
        text: `words ${sequence}`,
        start_ms: sequence,
        end_ms: null,
      })),
      next_cursor: '6',
    });
    const rest = await desk.request('GET', `${BASE}/transcript?limit=2&cursor=6`);
    expect(rest.body.data).toMatchObject({ segments: [{ sequence: 9 }], next_cursor: null });
  });

  it('is nobody else’s, and gone once the call was erased', async () => {
    const strangers = await openDesk({ test_mode: true });
    expect((await strangers.request('GET', `${BASE}/transcript`)).status).toBe(404);
    const erased = await openDesk({ erased_at: '2026-11-20T13:00:00.000Z' });
    expect((await erased.request('GET', `${BASE}/transcript`)).status).toBe(404);
    expect((await erased.request('GET', BASE)).body.data.erased_at).toBe('2026-11-20T13:00:00.000Z');
    const desk = await openDesk();
    const writer = { authorization: `Bearer ${desk.key({ scopes: ['calls:write'] })}` };
    expect((await desk.request('GET', `${BASE}/transcript`, undefined, writer)).status).toBe(403);
    expect((await desk.request('GET', `${BASE}/transcript?cursor=x`)).status).toBe(400);
  });
});

describe('erasing a call', () => {
  it('is for calls that are over, by who may write', async () => {
    const running = await openDesk();
    const refused = await running.request('DELETE', BASE);
    expect([refused.status, refused.body.error.code]).toEqual([422, 'failed_precondition']);
    const over = await openDesk({ completed: true, state: 'ended' });
    const reader = { authorization: `Bearer ${over.key({ scopes: ['calls:read'] })}` };
    expect((await over.request('DELETE', BASE, undefined, reader)).status).toBe(403);
    expect((await over.request('DELETE', '/api/v1/calls/call_2')).status).toBe(404);
    expect(over.postCall.erased).toEqual([]);
    const done = await over.request('DELETE', BASE);
    expect([done.status, done.body.data]).toEqual([200, { id: 'call_1', erased: true }]);
    expect(over.postCall.erased).toEqual(['call_1']);
  });
});

describe('the schema of the post-call payload', () => {
  it('is published without a key, and is one', async () => {
    const desk = await openDesk();
    const answer = await desk.request('GET', '/api/v1/schemas/post-call.json', undefined, {});
    expect([answer.status, answer.headers['content-type']]).toEqual([
      200,
      'application/schema+json; charset=utf-8',
    ]);
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    expect(ajv.validateSchema(answer.body)).toBe(true);
  });

  it('is named in the document of the routes', async () => {
    const desk = await openDesk();
    const { body } = await desk.request('GET', '/api/v1/openapi.json');
    expect(body.externalDocs.url).toBe('http://127.0.0.1:8080/api/v1/schemas/post-call.json');
  });
});

it('the schema is beside the documentation (out of date? npx vitest run test/api/post-call -u)', async () => {
  const path = join(import.meta.dirname, '../../../docs/post-call.schema.json');
  await expect(`${JSON.stringify(POST_CALL_SCHEMA, null, 2)}\n`).toMatchFileSnapshot(path);
});
