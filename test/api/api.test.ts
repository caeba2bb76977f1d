import { afterEach, beforeEach, expect, describe, it } from 'vitest';
import { openTestApi, type TestApi } from './open-test-api.ts';

let house: TestApi;
beforeEach(async () => {
  house = await openTestApi();
});
afterEach(() => house.api.close());

describe('the envelope', () => {
  it('holds data and where the key stands', async () => {
    const { status, body, headers } = await house.request('GET', '/api/v1/calls');
    expect(status).toBe(200);
    expect(body).toMatchObject({ success: true, data: [], meta: { rate_limit: { remaining: 59 } } });
    expect(body.meta.request_id).toMatch(/^req_/);
    expect(headers['x-request-id']).toBe(body.meta.request_id);
    expect(headers['omniflow-version']).toBe('2025-11-01');
  });

  it.each([
    ['GET', '/api/v1/nothing', undefined, 404],
    ['PUT', '/api/v1/calls/call_1', undefined, 405],
    ['POST', '/api/v1/voice/sessions', '{"agent_id":', 400],
    ['POST', '/api/v1/voice/sessions', '{"__proto__":{}}', 400],
    ['POST', '/api/v1/webhooks', undefined, 400],
  ])('holds what is wrong with %s %s %s: %i', async (method, url, payload, status) => {
    const authorization = `Bearer ${house.key()}`;
    const headers = { authorization, ...(payload !== undefined && { 'content-type': 'application/json' }) };
    const answer = await house.request(method, url, payload, headers);
    const code = status === 404 ? 'not_found' : 'invalid_argument';
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
    expect(answer.body).toEqual({
      success: false,
      error: expect.objectContaining({ code, message: expect.any(String) }),
      meta: { request_id: expect.stringMatching(/^req_/) },
    });
    expect(answer.text).not.toContain('stack');
  });

  it('names the methods an address has when another was used', async () => {
    const { headers } = await house.request('PUT', '/api/v1/calls/call_1');
    expect(headers['allow']).toBe('DELETE, GET, HEAD');
  });

  it('refuses a body above 1 MiB with 413', async () => {
    const metadata = { text: 'x'.repeat(1_048_577) };
    const { status, body } = await house.request('POST', '/api/v1/voice/sessions', { metadata });
    expect([status, body.error.code]).toEqual([413, 'payload_too_large']);
  });

  it('refuses a body that is not JSON by type with 415', async () => {
    const headers = { authorization: `Bearer ${house.key()}`, 'content-type': 'text/plain' };
    const { status, body } = await house.request('POST', '/api/v1/voice/sessions', 'hello', headers);
    expect([status, body.error.code]).toEqual([415, 'invalid_argument']);
  });

  it('names the field that is wrong, missing or unknown', async () => {
    const fieldOf = async (body: object) =>
      (await house.request('POST', '/api/v1/webhooks', body)).body.error.field;
    expect(await fieldOf({ events: ['*'] })).toBe('url');
    expect(await fieldOf({ url: 'https://a.example/', events: ['*'], colour: 1 })).toBe('colour');
    expect(await fieldOf({ url: 'https://a.example/', events: [7] })).toBe('events.0');
    expect(await fieldOf({ url: 'https://a.example/', events: ['*'], timeout_ms: '500' })).toBe('timeout_ms');
  });

  it('tells nothing of an error of ours, and logs it with the id of the request', async () => {
    house.ports.calls.list = async () => {
      throw new Error('SELECT * FROM secrets');
    };
    const { status, body, text } = await house.request('GET', '/api/v1/calls');
    expect([status, body.error.code]).toEqual([500, 'internal']);
    expect(text).not.toContain('SELECT');
    expect(house.logged).toContainEqual(expect.objectContaining({ request_id: body.meta.request_id }));
  });

  it('refuses an address that cannot be decoded', async () => {
    const { status, body } = await house.request('GET', '/api/v1/calls/%E0%A4%A');
    expect([status, body.error.code]).toEqual([400, 'invalid_argument']);
  });
});

describe('versions', () => {
  const page = async (headers: { [name: string]: string }) => {
    const answer = await house.request('GET', '/api/v1/calls', undefined, headers);
    return [answer.headers['omniflow-version'], 'page' in answer.body.meta];
  };

  it('come without meta.page before 2025-11-01', async () => {
    const authorization = `Bearer ${house.key()}`;
    expect(await page({ authorization })).toEqual(['2025-11-01', true]);
    expect(await page({ authorization, 'omniflow-version': '2025-06-01' })).toEqual(['2025-06-01', false]);
  });

  it('are the one pinned on the key when the request does not say', async () => {
    const authorization = `Bearer ${house.key({ apiVersion: '2025-06-01' })}`;
    expect(await page({ authorization })).toEqual(['2025-06-01', false]);
    expect(await page({ authorization, 'omniflow-version': '2025-11-01' })).toEqual(['2025-11-01', true]);
  });

  it('that are unknown are refused with the list of the known', async () => {
    const headers = { authorization: `Bearer ${house.key()}`, 'omniflow-version': '2024-01-01' };
    const { status, body } = await house.request('GET', '/api/v1/calls', undefined, headers);
    expect([status, body.error.code]).toEqual([400, 'unsupported_version']);
    expect(body.error.message).toContain('2025-11-01, 2025-06-01');
  });
});

describe('operations', () => {
  it('need no key', async () => {
    const health = await house.request('GET', '/healthz', undefined, {});
    expect([health.status, health.text]).toEqual([200, '{"status":"ok"}']);
    const metrics = await house.request('GET', '/metrics', undefined, {});
    expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4');
    expect(metrics.text).toBe('omnivoice_calls 1\n');
  });

  it('say not ready while the house is not', async () => {
    expect((await house.request('GET', '/readyz', undefined, {})).status).toBe(200);
    house.ready = false;
    expect((await house.request('GET', '/readyz', undefined, {})).status).toBe(503);
  });
});
