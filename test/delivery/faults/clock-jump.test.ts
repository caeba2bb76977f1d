import { afterEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { HookDesk } from '../../fakes/hook-desk.ts';
import { answers, HookReceiver } from '../../fakes/hook-receiver.ts';
import { until } from '../../fakes/until.ts';
import { FakeSender } from '../../fakes/hook-sender.ts';
import { anEndpoint, anEnvelope, FakeOutbox } from '../../fakes/outbox.ts';
import { openDelivery } from '../../../src/delivery/delivery.ts';
import type { EndpointNotice, HealthStore } from '../../../src/delivery/breaker/health-record.ts';
import { eventOf } from '../../store/samples.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Lanes at virtual time, whose wall clock may be set. */
async function openLanes(retryDelaysMs: readonly number[]) {
  const clock = new FakeClock({ nowMs: 1_000 });
  const sender = new FakeSender(clock);
  const outbox = new FakeOutbox([anEndpoint({ retryDelaysMs })]);
  const notices: EndpointNotice[] = [];
  const disabled: string[] = [];
  const health: HealthStore = {
    load: async () => [],
    save: async () => undefined,
    disable: async (id) => void disabled.push(id),
  };
  const delivery = openDelivery({
    outbox,
    clock,
    sender,
    health,
    announce: (notice) => notices.push(notice),
    settings: { egressAllow: [], userAgent: 'Omnivoice/1' },
    observer: { hookSent: () => undefined, attemptFinished: () => undefined },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  const start = delivery.start();
  await sender.pass(clock);
  await start;
  const tell = (callId: string, sequence: number): void => {
    const created_at = new Date(clock.unixMs()).toISOString();
    delivery.accept([outbox.commit(anEnvelope(callId, sequence, { created_at }))]);
  };
  return { clock, sender, outbox, notices, disabled, tell };
}

describe.each([
  ['forward by three days', 3 * DAY_MS],
  ['back by three days', -3 * DAY_MS],
])('a wall clock that is set %s', (_direction, byMs) => {
  it('takes no attempt from an event that waits, and moves none', async () => {
    const { clock, sender, outbox, tell } = await openLanes([MINUTE_MS, MINUTE_MS, MINUTE_MS]);
    sender.script('call_1:1', ['http_5xx', 'http_5xx', 'http_5xx', null]);
    tell('call_1', 1);
    await sender.pass(clock, 100);
    clock.stepWallClock(byMs);
    await sender.pass(clock, 47_000);
    expect(sender.sequencesOf('call_1')).toEqual([1]);
    await sender.pass(clock, 4 * MINUTE_MS);
    expect(sender.sequencesOf('call_1')).toEqual([1, 1, 1, 1]);
    expect(outbox.statesOf('whk_1')).toEqual(['delivered']);
  });

  it('shortens no life of an event that comes after it', async () => {
    const { clock, sender, tell } = await openLanes([MINUTE_MS, MINUTE_MS, MINUTE_MS]);
    clock.stepWallClock(byMs);
    sender.script('call_1:1', Array(9).fill('http_5xx'));
    tell('call_1', 1);
    await sender.pass(clock, 10 * MINUTE_MS);
    expect(sender.sequencesOf('call_1')).toEqual([1, 1, 1, 1]);
  });

  it('tells nobody of a day without success, and switches nobody off', async () => {
    const { clock, sender, notices, disabled, tell } = await openLanes([]);
    sender.verdict = () => 'http_5xx';
    for (let call = 1; call <= 20; call++) {
      tell(`call_${call}`, 1);
      await sender.pass(clock, 6 * MINUTE_MS);
      if (call === 10) clock.stepWallClock(2 * byMs);
    }
    expect(notices.map(({ data }) => data['reason'])).toEqual(['open_15m']);
    expect(disabled).toEqual([]);
  });

  it('costs no event and no order over real sockets and a real store, nor does the restart after it', async () => {
    let offsetMs = 0;
    const clock: Clock = { ...systemClock, unixMs: () => systemClock.unixMs() + offsetMs };
    const receiver = await HookReceiver.open(answers.status(503));
    closing.push(() => receiver.close());
    const desk = await HookDesk.open({ clock });
    const policy = { retry_policy: Array<number>(50).fill(0.03) };
    await desk.hook({ url: receiver.url(), ...policy });
    const created_at = (): string => new Date(clock.unixMs()).toISOString();
    await desk.publish(
      ...[1, 2].map((sequence) => eventOf('call_1', sequence, { created_at: created_at() })),
    );
    await until(() => receiver.received.length >= 2);
    offsetMs = byMs;
    await desk.publish(eventOf('call_1', 3, { created_at: created_at() }));
    const { length: seen } = receiver.received;
    await until(() => receiver.received.length >= seen + 2);
    await desk.close({ keep: true });
    const next = await HookDesk.open({ clock, path: desk.path });
    closing.push(() => next.close());
    receiver.behaviour = answers.status(200);
    await until(() => next.delivery.stats.delivered === 3);
    const order = receiver.received.map(({ body }) => (JSON.parse(body) as { sequence: number }).sequence);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(new Set(order)).toEqual(new Set([1, 2, 3]));
    expect(next.delivery.stats.dead).toBe(0);
  });
});
