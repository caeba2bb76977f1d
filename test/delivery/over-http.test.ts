import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { openDelivery, type Delivery } from '../../src/delivery/delivery.ts';
import type { HookSent } from '../../src/delivery/observer.ts';
import { answers, HookReceiver, type ReceivedHook } from '../fakes/hook-receiver.ts';
import { until } from '../fakes/until.ts';
import { anEndpoint, anEnvelope, FakeOutbox } from '../fakes/outbox.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function aDelivery(outbox: FakeOutbox, sent: HookSent[] = []): Promise<Delivery> {
  const delivery = openDelivery({
    outbox,
    clock: systemClock,
    settings: { egressAllow: ['127.0.0.1'], userAgent: 'Omnivoice/1', closeGraceMs: 10 },
    observer: { hookSent: (told) => sent.push(told), attemptFinished: () => undefined },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  closing.push(() => delivery.close());
  await delivery.start();
  return delivery;
}

const now = () => ({ created_at: new Date(systemClock.unixMs()).toISOString() });
const sequenceOf = ({ body }: ReceivedHook) => (JSON.parse(body) as { sequence: number }).sequence;

describe('over HTTP', () => {
  it('a receiver that dies and comes back gets every event, in order, each verified', async () => {
    let receiver = await HookReceiver.open();
    const { port } = receiver;
    const endpoint = anEndpoint({ url: receiver.url(), retryDelaysMs: Array(40).fill(100) });
    const outbox = new FakeOutbox([endpoint]);
    const delivery = await aDelivery(outbox);
    const hooks: ReceivedHook[] = [];
    for (let sequence = 1; sequence <= 60; sequence++) {
      const text = `größer 😀 ${sequence}`;
      for (const callId of ['call_a', 'call_b']) {
        delivery.accept([outbox.commit(anEnvelope(callId, sequence, { ...now(), data: { text } }))]);
      }
      if (sequence === 20) {
        await until(() => receiver.received.length > 5);
        await receiver.close();
        hooks.push(...receiver.received);
      }
      if (sequence === 40) {
        await until(() => outbox.recorded.some(({ attempt }) => attempt.errorClass !== null));
        receiver = await HookReceiver.open(answers.status(200), { port });
        closing.push(() => receiver.close());
      }
    }
    await until(
      () => outbox.statesOf('whk_1').every((state) => state === 'delivered'),
      'all are delivered',
      15_000,
    );
    hooks.push(...receiver.received);

    const verifier = new Webhook(endpoint.keys.symmetric);
    for (const hook of hooks) expect(verifier.verify(hook.body, { ...hook.headers })).toBeDefined();
    for (const callId of ['call_a', 'call_b']) {
      const arrived = hooks.filter(({ body }) => body.includes(`"${callId}"`)).map(sequenceOf);
      expect([...new Set(arrived)]).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    }
    const bodies = new Map<string, Set<string>>();
    for (const { headers, body } of hooks) {
      const id = headers['webhook-id']!;
      bodies.set(id, (bodies.get(id) ?? new Set()).add(body));
    }
    expect([...bodies.values()].every(({ size }) => size === 1)).toBe(true);
  });

  it('a process killed before it could write sends the same id and bytes again', async () => {
    const receiver = await HookReceiver.open(answers.silence());
    closing.push(() => receiver.close());
    const outbox = new FakeOutbox([anEndpoint({ url: receiver.url() })]);
    const killed = await aDelivery(outbox);
    killed.accept([outbox.commit(anEnvelope('call_1', 1, now()))]);
    await until(() => receiver.received.length === 1);
    await killed.close();
    expect(outbox.statesOf('whk_1')).toEqual(['pending']);
    expect(outbox.recorded).toHaveLength(0);

    receiver.behaviour = answers.status(200);
    await aDelivery(outbox);
    await until(() => outbox.statesOf('whk_1')[0] === 'delivered');
    const [first, second] = receiver.received;
    expect(second!.body).toBe(first!.body);
    expect(second!.headers).toMatchObject({
      'webhook-id': first!.headers['webhook-id'],
      'x-omniflow-delivery': first!.headers['x-omniflow-delivery'],
    });
  });

  it('dead, silent and flooding endpoints do not hold up a healthy one', async () => {
    const healthy = await HookReceiver.open();
    const silent = await HookReceiver.open(answers.silence());
    const flooding = await HookReceiver.open(answers.flood());
    const gone = await HookReceiver.open();
    const urls = {
      whk_ok: healthy.url(),
      whk_silent: silent.url(),
      whk_flood: flooding.url(),
      whk_gone: gone.url(),
    };
    await gone.close();
    for (const receiver of [healthy, silent, flooding]) closing.push(() => receiver.close());
    const outbox = new FakeOutbox(Object.entries(urls).map(([id, url]) => anEndpoint({ id, url })));
    const sent: HookSent[] = [];
    const delivery = await aDelivery(outbox, sent);
    const committedAtMs = systemClock.nowMs();
    for (let call = 0; call < 100; call++) {
      const committed = outbox.commit(anEnvelope(`call_${call}`, 1, now()));
      delivery.accept([{ ...committed, committedAtMs }]);
    }
    await until(() => outbox.statesOf('whk_ok').every((state) => state === 'delivered'));
    expect(healthy.received).toHaveLength(100);
    expect(silent.received.length).toBeLessThanOrEqual(32);
    expect(outbox.statesOf('whk_silent').every((state) => state === 'pending')).toBe(true);
    const took = sent
      .filter(({ endpointId }) => endpointId === 'whk_ok')
      .map((told) => told.sentAtMs - committedAtMs);
    expect(took).toHaveLength(100);
    expect(Math.min(...took)).toBeGreaterThan(0);
    expect(Math.max(...took)).toBeLessThan(3_000);
  });
});
