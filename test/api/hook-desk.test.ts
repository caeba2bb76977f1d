import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { HookDesk, type DeskAnswer } from '../fakes/hook-desk.ts';
import { answers, HookReceiver } from '../fakes/hook-receiver.ts';
import { attemptOf, eventOf } from '../store/samples.ts';
import { until } from '../fakes/until.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function openBoth(): Promise<{ desk: HookDesk; receiver: HookReceiver }> {
  const desk = await HookDesk.open();
  closing.push(() => desk.close());
  const receiver = await HookReceiver.open();
  closing.push(() => receiver.close());
  return { desk, receiver };
}

const NEVER_AGAIN = { retry_policy: [0.001] };
const SINCE = { since: '2020-01-01T00:00:00Z' };
const deadOf = async (desk: HookDesk, query = '') => (await desk.ask('GET', `/dead-letters${query}`)).body;

/** Events that were given up, by the word of the journal: many at once would open the breaker. */
async function giveUp(desk: HookDesk, count: number): Promise<readonly string[]> {
  const events = Array.from({ length: count }, (_, index) => eventOf(`call_${index}`, 1));
  const committed = await desk.store.journal.append(events);
  for (const { deliveryId } of committed.flatMap(({ deliveries }) => deliveries)) {
    const outcome = { state: 'dead', nextAttemptUnixMs: null } as const;
    await desk.store.outbox.record(attemptOf(deliveryId, 1), outcome);
  }
  return events.map(({ envelope }) => envelope.id);
}

describe('the log of a delivery', () => {
  it('shows every attempt whole: request, answer, where the time went, what came next', async () => {
    const { desk, receiver } = await openBoth();
    const { id } = await desk.hook({ url: receiver.url('/h?token=in-the-url'), ...NEVER_AGAIN });
    receiver.behaviour = answers.status(500, { 'x-why': 'broken' }, 'not today');
    await desk.publish(eventOf('call_logged', 1));
    await until(async () => (await deadOf(desk)).meta.page.total === 1);
    const [row] = (await desk.ask('GET', `/webhooks/${id}/deliveries?state=dead`)).body.data;
    expect(row).toMatchObject({ webhook_id: id, state: 'dead', attempts: 2, event_type: 'call_started' });
    const { body, text } = await desk.ask('GET', `/deliveries/${row.id}`);
    expect(body.data.request_body).toBe(receiver.received[0]!.body);
    expect(body.data.attempt_log).toHaveLength(2);
    const [first, second] = body.data.attempt_log;
    expect(first).toMatchObject({
      number: 1,
      trigger: 'event',
      method: 'POST',
      url: receiver.url('/h'),
      resolved_address: '127.0.0.1',
      status: 500,
      error_class: 'http_5xx',
      response_headers: { 'x-why': 'broken' },
      response_body: 'not today',
      response_truncated: false,
      request_body_ref: `${row.event_id}/omnivoice/2025-11-01`,
      request_body_bytes: Buffer.byteLength(receiver.received[0]!.body),
      timings_ms: { dns: null, tls: null, connect: expect.any(Number), ttfb: expect.any(Number) },
      next_attempt_at: expect.stringMatching(/^20/),
    });
    expect(first.request_headers).toEqual(receivedHeaders(receiver, 0));
    expect(second).toMatchObject({ number: 2, trigger: 'retry', next_attempt_at: null });
    expect(second.timings_ms.total).toBeGreaterThanOrEqual(second.timings_ms.ttfb);
    expect(text).not.toContain('in-the-url');
  });

  it('is not shown to another mode, nor is what does not exist', async () => {
    const { desk } = await openBoth();
    for (const path of ['/deliveries/dlv_none', '/webhooks/whk_none/deliveries']) {
      expect((await desk.ask('GET', path)).status).toBe(404);
    }
    expect((await desk.ask('POST', '/deliveries/dlv_none/replay')).status).toBe(404);
    expect((await desk.ask('POST', '/dead-letters/replay', { ids: ['dlv_none'] })).status).toBe(404);
    expect((await desk.ask('POST', '/dead-letters/replay', {})).status).toBe(400);
    expect((await desk.ask('GET', '/dead-letters?since=yesterday')).status).toBe(400);
  });
});

describe('dead letters', () => {
  it.each([
    ['by a range', (_id: string) => ['/dead-letters/replay', SINCE] as const],
    [
      'by an endpoint’s range',
      (id: string) => ['/dead-letters/replay', { ...SINCE, webhook_id: id }] as const,
    ],
    ['by recovering the endpoint', (id: string) => [`/webhooks/${id}/recover`, SINCE] as const],
  ])('are sent again %s, under the same ids and signed anew', async (_how, path) => {
    const { desk, receiver } = await openBoth();
    const { id } = await desk.hook({ url: receiver.url(), ...NEVER_AGAIN });
    const ids = await giveUp(desk, 30);
    const [url, wish] = path(id);
    expect((await desk.ask('POST', url, wish)).body.data).toEqual({ replayed: 30, more: false });
    await until(() => receiver.received.length === 30);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toEqual(new Set(ids));
    expect((await deadOf(desk)).data).toEqual([]);
    expect((await desk.ask('POST', url, wish)).body.data).toEqual({ replayed: 0, more: false });
  });

  it('are sent again one by one, and a replay that dies is a dead letter itself', async () => {
    const { desk, receiver } = await openBoth();
    await desk.hook({ url: receiver.url(), ...NEVER_AGAIN });
    await giveUp(desk, 2);
    receiver.behaviour = answers.status(500);
    const [first, second] = (await deadOf(desk)).data;
    const replayed = await desk.ask('POST', '/dead-letters/replay', { ids: [first.id] });
    expect(replayed.body.data).toEqual({ replayed: 1, more: false });
    await until(async () => (await deadOf(desk)).meta.page.total === 2);
    const [again, still] = (await deadOf(desk)).data;
    expect(still.id).toBe(second.id);
    expect(again).toMatchObject({ trigger: 'manual', event_id: first.event_id });
    const log = await desk.ask('GET', `/deliveries/${again.id}`);
    expect(log.body.data.attempt_log.map(({ trigger }: { trigger: string }) => trigger)).toEqual([
      'manual',
      'manual',
    ]);
  });
});

describe('an endpoint', () => {
  it('switched off is sent nothing, and everything in order when it is on again', async () => {
    const { desk, receiver } = await openBoth();
    const { id } = await desk.hook({ url: receiver.url() });
    const off = await desk.ask('PATCH', `/webhooks/${id}`, { enabled: false });
    expect(off.body.data).toMatchObject({ enabled: false, disabled_reason: 'by_request' });
    for (let sequence = 1; sequence <= 5; sequence++) await desk.publish(eventOf('call_held', sequence));
    const { body } = await desk.ask('GET', `/webhooks/${id}/deliveries`);
    expect(body.data.map(({ state }: { state: string }) => state)).toEqual(Array(5).fill('held'));
    expect(receiver.received).toHaveLength(0);
    const on = await desk.ask('POST', `/webhooks/${id}/enable`);
    expect(on.body.data).toMatchObject({ enabled: true, disabled_reason: null });
    await until(() => receiver.received.length === 5);
    expect(receiver.received.map(({ headers }) => headers['x-omniflow-sequence'])).toEqual([
      '1',
      '2',
      '3',
      '4',
      '5',
    ]);
  });

  it('is changed from its next attempt on, and keeps what was not said', async () => {
    const { desk, receiver } = await openBoth();
    const other = await HookReceiver.open();
    closing.push(() => other.close());
    const { id } = await desk.hook({ url: receiver.url(), headers: { 'X-A': 'one' }, description: 'first' });
    const changed = await desk.ask('PATCH', `/webhooks/${id}`, {
      url: other.url(),
      headers: { 'X-A': '***', 'X-B': 'two' },
      ordering: 'bounded',
      hold_s: 5,
    });
    expect(changed.body.data).toMatchObject({ description: 'first', ordering: 'bounded', hold_s: 5 });
    await desk.publish(eventOf('call_changed', 1));
    await until(() => other.received.length === 1);
    expect(other.received[0]!.headers).toMatchObject({ 'x-a': 'one', 'x-b': 'two' });
    expect(receiver.received).toHaveLength(0);
  });

  it.each([
    [{ format: 'omniai' }, 'format'],
    [{ secret: 'whsec_x' }, 'secret'],
    [{ url: 'http://10.0.0.1/' }, 'url'],
    [{ auth: { type: 'basic', username: 'a' } }, 'auth.password'],
    [{ auth: { type: 'oauth2', client_id: 'a', client_secret: 'b' } }, 'auth.token_url'],
    [
      { auth: { type: 'oauth2', token_url: 'http://169.254.169.254/', client_id: 'a', client_secret: 'b' } },
      'auth.token_url',
    ],
    [{ auth: { type: 'basic', username: 'a', password: 'b' }, headers: { Authorization: 'x' } }, 'auth'],
    [{ signatures: { secret_header: 'Host' } }, 'signatures.secret_header'],
    [{ timeout_ms: 500 }, 'timeout_ms'],
    [{ hold_s: 61 }, 'hold_s'],
  ])('is not changed to %j', async (change, field) => {
    const { desk, receiver } = await openBoth();
    const { id } = await desk.hook({ url: receiver.url() });
    const { status, body } = await desk.ask('PATCH', `/webhooks/${id}`, change);
    expect([status >= 400 && status < 500, body.error.field]).toEqual([true, field]);
  });

  it('of a name nobody knows yet is saved with a warning', async () => {
    const { desk } = await openBoth();
    const made = await desk.hook({ url: 'https://nobody-has-this-name.invalid/hooks' });
    expect(made['warnings']).toEqual([expect.stringMatching(/does not resolve/)]);
  });
});

describe('secrets', () => {
  it('are in no log, no file and no answer after the one that shows them', async () => {
    const { desk, receiver } = await openBoth();
    receiver.behaviour = answers.status(500);
    const told: DeskAnswer[] = [];
    const wish = {
      url: receiver.url(),
      format: 'omniai',
      shared_secret: 'GREP-shared-secret',
      headers: { 'X-Token': 'GREP-header-value' },
      auth: { type: 'basic', username: 'crm', password: 'GREP-password' },
      signatures: { ed25519: true, omniflow: 'hex', voiceoi: true },
      ...NEVER_AGAIN,
    };
    const { id, secret } = await desk.hook(wish);
    const oauth = {
      type: 'oauth2',
      token_url: receiver.url(),
      client_id: 'me',
      client_secret: 'GREP-client',
    };
    await desk.publish(eventOf('call_secret', 1));
    await until(() => receiver.received.length === 2);
    told.push(await desk.ask('POST', `/webhooks/${id}/test`));
    const fresh = (await desk.ask('POST', `/webhooks/${id}/rotate-secret`)).body.data;
    told.push(await desk.ask('PATCH', `/webhooks/${id}`, { auth: oauth }));
    told.push(await desk.ask('POST', `/webhooks/${id}/test`));
    for (const path of ['/webhooks', `/webhooks/${id}`, `/webhooks/${id}/deliveries`, '/dead-letters']) {
      told.push(await desk.ask('GET', path));
    }
    const [row] = (await desk.ask('GET', `/webhooks/${id}/deliveries`)).body.data;
    told.push(await desk.ask('GET', `/deliveries/${row.id}`));
    const secrets = [
      secret,
      secret.slice(6),
      fresh.secret,
      fresh.shared_secret,
      'GREP-',
      Buffer.from('crm:GREP-password').toString('base64'),
    ];
    // It would be found: the receiver was sent it.
    expect(JSON.stringify(receiver.received)).toContain('GREP-shared-secret');
    const places = {
      answers: told.map(({ text }) => text).join('\n'),
      logs: JSON.stringify(desk.logged),
      file: filesOf(desk.path),
    };
    expect(told.every(({ status }) => status === 200)).toBe(true);
    for (const [place, text] of Object.entries(places)) {
      expect([place, secrets.filter((one) => text.includes(one))]).toEqual([place, []]);
    }
  });
});

function receivedHeaders(receiver: HookReceiver, index: number): object {
  // What the connection itself adds is not of the request's making.
  const { host: _h, connection: _c, 'content-length': _l, ...headers } = receiver.received[index]!.headers;
  return headers;
}

function filesOf(path: string): string {
  return [path, `${path}-wal`].map((file) => readFileSync(file, 'latin1')).join('');
}
