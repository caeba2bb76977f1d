import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../open-test-api.ts';

let house: TestApi;
beforeEach(async () => {
  house = await openTestApi();
});
afterEach(() => house.api.close());

const WISH = { url: 'https://crm.example/hooks', events: ['voice_detected', 'call.*', '*'] };
const make = (wish: object = {}, secret = house.key()) =>
  house.request('POST', '/api/v1/webhooks', { ...WISH, ...wish }, { authorization: `Bearer ${secret}` });

describe('a webhook', () => {
  it('is made with defaults, its secret shown this once', async () => {
    const { status, body } = await make();
    expect(status).toBe(201);
    expect(body.data).toMatchObject({
      ...WISH,
      secret: expect.stringMatching(/^whsec_/),
      format: 'omnivoice',
      ordering: 'strict',
      retry_policy: '24h',
      timeout_ms: 10_000,
      test_mode: false,
      enabled: true,
      api_version: '2025-11-01',
    });
    expect(body.data.retry_delays_s).toHaveLength(10);
    expect(house.refreshes).toBe(1);
    const read = await house.request('GET', `/api/v1/webhooks/${body.data.id}`);
    expect(read.body.data).toMatchObject({ id: body.data.id, url: WISH.url });
    expect(read.text).not.toContain(body.data.secret);
  });

  it('keeps what was asked for, and masks its headers ever after', async () => {
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const { body, text } = await make({
      secret,
      headers: { authorization: 'Basic c2VjcmV0' },
      retry_policy: [1, 2.5],
      timeout_ms: 5_000,
      ordering: 'none',
      test_mode: null,
    });
    expect(body.data).toMatchObject({
      secret,
      headers: { authorization: '***' },
      retry_policy: 'own',
      retry_delays_s: [1, 2.5],
      ordering: 'none',
      test_mode: null,
    });
    expect(text).not.toContain('c2VjcmV0');
    expect(house.ports.allEndpoints.get(body.data.id)?.headers).toEqual({ authorization: 'Basic c2VjcmV0' });
  });

  it.each([
    ['a URL the guard forbids', { url: 'http://169.254.169.254/' }, 422, 'url'],
    ['an event nobody sends', { events: ['voice_detcted'] }, 400, 'events'],
    ['no event at all', { events: [] }, 400, 'events'],
    ['a secret that cannot sign', { secret: 'whsec_short' }, 400, 'secret'],
    ['an unknown retry policy', { retry_policy: '7d' }, 400, 'retry_policy'],
    ['a header of ours', { headers: { 'webhook-id': 'x' } }, 400, 'headers'],
    ['a format nobody speaks', { format: 'morse' }, 400, 'format'],
  ])('is refused for %s', async (_what, wish, status, field) => {
    const answer = await make(wish);
    expect([answer.status, answer.body.error.field]).toEqual([status, field]);
    expect(house.ports.allEndpoints.size).toBe(0);
  });

  it('is removed for delivery too', async () => {
    const { body } = await make();
    const gone = await house.request('DELETE', `/api/v1/webhooks/${body.data.id}`);
    expect([gone.status, gone.body.data]).toEqual([200, { id: body.data.id, deleted: true }]);
    expect(house.refreshes).toBe(2);
    expect((await house.request('DELETE', `/api/v1/webhooks/${body.data.id}`)).status).toBe(404);
  });

  it('of a test key gets test events, and sees none of the live ones', async () => {
    const testSecret = house.key({ testMode: true });
    const live = await make();
    const test = await make({}, testSecret);
    expect(test.body.data.test_mode).toBe(true);
    expect((await make({ test_mode: null }, testSecret)).status).toBe(403);
    expect((await make({ test_mode: true })).status).toBe(403);
    const headers = { authorization: `Bearer ${testSecret}` };
    const listed = await house.request('GET', '/api/v1/webhooks', undefined, headers);
    expect(listed.body.data.map(({ id }: { id: string }) => id)).toEqual([test.body.data.id]);
    const hidden = await house.request('DELETE', `/api/v1/webhooks/${live.body.data.id}`, undefined, headers);
    expect(hidden.status).toBe(404);
  });

  it('can be tried out', async () => {
    const { body } = await make();
    const tried = await house.request('POST', `/api/v1/webhooks/${body.data.id}/test`);
    expect(tried.body.data).toMatchObject({
      delivered: true,
      trigger: 'test',
      status: 200,
      duration_ms: 12.5,
    });
    expect((await house.request('POST', '/api/v1/webhooks/whk_none/test')).status).toBe(404);
  });

  it('tells what it was sent', async () => {
    const { body } = await make();
    house.ports.allDeliveries.push({
      id: 'dlv_1',
      endpointId: body.data.id,
      eventId: 'evt_1',
      eventType: 'call_started',
      resourceId: 'call_1',
      isManual: false,
      replayedAs: null,
      settledAt: null,
      state: 'retrying',
      attempts: 2,
      createdAt: '2026-11-20T12:00:00.000Z',
      nextAttemptAt: '2026-11-20T12:00:30.000Z',
      lastStatus: 503,
      lastError: 'http_5xx',
    });
    const { body: log } = await house.request('GET', `/api/v1/webhooks/${body.data.id}/deliveries`);
    expect(log.data).toMatchObject([
      { id: 'dlv_1', event_type: 'call_started', attempts: 2, last_status: 503 },
    ]);
    expect(log.meta.page.total).toBe(1);
  });
});
