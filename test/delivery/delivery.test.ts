import { beforeEach, describe, expect, it } from 'vitest';
import { openDelivery, type Delivery, type DeliverySettings } from '../../src/delivery/delivery.ts';
import { LANE_LIMITS } from '../../src/delivery/lanes/lane-entry.ts';
import { ResolveError } from '../../src/delivery/wire/resolver.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeSender, turn } from '../fakes/hook-sender.ts';
import { anEndpoint, anEnvelope, FakeOutbox } from '../fakes/outbox.ts';

let clock: FakeClock;
let outbox: FakeOutbox;
let sender: FakeSender;

beforeEach(() => {
  clock = new FakeClock({ nowMs: 1_000 });
  outbox = new FakeOutbox([anEndpoint()]);
  sender = new FakeSender(clock);
});

function deliveryWith(settings: Partial<DeliverySettings> = {}): Delivery {
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  return openDelivery({
    outbox,
    clock,
    sender,
    settings: { egressAllow: [], userAgent: 'Omnivoice/1', ...settings },
    observer: { hookSent: () => undefined, attemptFinished: () => undefined },
    log: quiet,
    resolver: {
      resolve: async (host) => {
        if (host === 'inside.example') return ['10.0.0.1'];
        if (host === 'nowhere.example') throw new ResolveError('unavailable', 'ENOTFOUND');
        return ['1.1.1.1'];
      },
    },
  });
}

async function started(settings: Partial<DeliverySettings> = {}): Promise<Delivery> {
  const delivery = deliveryWith(settings);
  const start = delivery.start();
  await sender.pass(clock);
  await start;
  return delivery;
}

/** Until the outbox has been asked for one more page, and has not yet answered. */
async function reading(): Promise<void> {
  const { unfinished } = outbox.calls;
  for (let ms = 0; outbox.calls.unfinished === unfinished && ms < 100; ms++) {
    await Promise.resolve();
    clock.advance(1);
    for (let i = 0; i < 20; i++) await Promise.resolve();
    if (outbox.calls.unfinished === unfinished) await turn();
  }
}

const commit = (callId: string, sequence: number, endpointIds?: string[]) =>
  outbox.commit(anEnvelope(callId, sequence), endpointIds);

describe('an event just committed', () => {
  it('is sent at once, to every endpoint it is owed to, without asking the store', async () => {
    outbox.owned.push(anEndpoint({ id: 'whk_2' }), anEndpoint({ id: 'whk_3' }));
    const delivery = await started();
    const { unfinished, load } = { ...outbox.calls };
    delivery.accept([commit('call_1', 1, ['whk_1', 'whk_3'])]);
    expect(sender.sent.map(({ endpoint }) => endpoint.id)).toEqual(['whk_1', 'whk_3']);
    await sender.pass(clock);
    expect(outbox.calls).toMatchObject({ unfinished, load });
    expect(delivery.stats).toMatchObject({ accepted: 2, delivered: 2, entries: 0 });
  });

  it('does not wait for an endpoint that never answers', async () => {
    outbox.owned.push(anEndpoint({ id: 'whk_dead' }));
    const delivery = await started();
    sender.durationMs = ({ endpoint }) => (endpoint.id === 'whk_dead' ? 1e9 : 1);
    for (let call = 0; call < 200; call++) delivery.accept([commit(`call_${call}`, 1)]);
    await sender.pass(clock, 10);
    expect(outbox.statesOf('whk_1').filter((state) => state === 'delivered')).toHaveLength(200);
    expect(sender.sent.filter(({ endpoint }) => endpoint.id === 'whk_dead')).toHaveLength(32);
  });
});

describe('a start', () => {
  it('sends what was unfinished, in order, under the same delivery, at its time', async () => {
    commit('call_1', 1);
    commit('call_1', 2);
    const [first, second] = outbox.rows.values();
    Object.assign(first!, { attempts: 2, state: 'retrying', nextAttemptUnixMs: clock.unixMs() + 20_000 });
    commit('call_2', 1);
    const delivery = await started();
    expect(sender.sent.map(({ envelope }) => envelope.id)).toEqual(['evt_call_2_1']);
    await sender.pass(clock, 21_000);
    expect(sender.sent.slice(1)).toMatchObject([
      { deliveryId: first!.id, number: 3, trigger: 'retry', envelope: { id: 'evt_call_1_1' } },
      { deliveryId: second!.id, number: 1, trigger: 'event', envelope: { id: 'evt_call_1_2' } },
    ]);
    expect(delivery.stats).toMatchObject({ readRows: 3, delivered: 3, endpointsBehind: 0 });
  });

  it('neither loses nor doubles nor overtakes with what is committed while it reads', async () => {
    for (let i = 1; i <= 10; i++) commit('call_1', i);
    const delivery = deliveryWith({ pageRows: 3 });
    delivery.accept([commit('call_1', 11)]);
    const start = delivery.start();
    for (let i = 12; i <= 25; i++) {
      delivery.accept([commit('call_1', i)]);
      await sender.pass(clock, 1);
    }
    // Each of these is committed while a page is being read that ends before it.
    for (let i = 26; i <= 30; i++) {
      await reading();
      delivery.accept([commit('call_1', i)]);
    }
    await sender.pass(clock, 100);
    await start;
    delivery.accept([commit('call_1', 31)]);
    await sender.pass(clock, 10);
    expect(sender.sequencesOf('call_1')).toEqual(Array.from({ length: 31 }, (_, index) => index + 1));
    expect(delivery.stats.endpointsBehind).toBe(0);
  });

  it('waits for a store that does not answer yet', async () => {
    commit('call_1', 1);
    outbox.failing.unfinished = 2;
    const delivery = deliveryWith();
    const start = delivery.start();
    await sender.pass(clock, 3_000);
    await start;
    expect(sender.sequencesOf('call_1')).toEqual([1]);
    expect(delivery.stats.readFailures).toBe(2);
  });
});

describe('an endpoint', () => {
  it('with more owed than memory holds goes on from the outbox, complete and in order', async () => {
    const delivery = await started({
      limits: { ...LANE_LIMITS, entriesMax: 10, envelopesMax: 4 },
      pageRows: 7,
    });
    for (let i = 1; i <= 60; i++) delivery.accept([commit(i % 2 === 0 ? 'call_a' : 'call_b', i)]);
    expect(delivery.stats).toMatchObject({ entries: 10, envelopes: 4, endpointsBehind: 1, fellBehind: 2 });
    await sender.pass(clock, 500);
    delivery.accept([commit('call_a', 62)]);
    await sender.pass(clock, 500);
    const evens = Array.from({ length: 31 }, (_, index) => 2 * index + 2);
    expect(sender.sequencesOf('call_a')).toEqual(evens);
    expect(sender.sequencesOf('call_b')).toEqual(evens.slice(0, 30).map((even) => even - 1));
    expect(delivery.stats).toMatchObject({ entries: 0, endpointsBehind: 0, delivered: 61 });
  });

  it('made a moment ago gets what was owed before it was read', async () => {
    const delivery = await started();
    outbox.owned.push(anEndpoint({ id: 'whk_new' }));
    delivery.accept([commit('call_1', 1, ['whk_new'])]);
    delivery.accept([commit('call_1', 2, ['whk_new'])]);
    await sender.pass(clock);
    delivery.accept([commit('call_1', 3, ['whk_new'])]);
    await sender.pass(clock);
    expect(sender.sequencesOf('call_1')).toEqual([1, 2, 3]);
    expect(delivery.stats).toMatchObject({ unknownEndpoints: 1, endpoints: 2, endpointsBehind: 0 });
  });

  it('that is switched off holds what it is owed, and gets it when switched on', async () => {
    const delivery = await started();
    outbox.owned = [anEndpoint({ enabled: false })];
    await delivery.refreshEndpoints();
    delivery.accept([commit('call_1', 1)]);
    await sender.pass(clock);
    expect(sender.sent).toHaveLength(0);
    expect(outbox.calls.endpoints).toBe(2);
    outbox.owned = [anEndpoint()];
    await delivery.refreshEndpoints();
    delivery.accept([commit('call_1', 2)]);
    await sender.pass(clock);
    expect(sender.sequencesOf('call_1')).toEqual([1, 2]);
  });

  it('that is removed is sent nothing more, and its connections are let go', async () => {
    const delivery = await started();
    sender.verdict = () => 'http_5xx';
    delivery.accept([commit('call_1', 1)]);
    await sender.pass(clock);
    outbox.owned = [];
    await delivery.refreshEndpoints();
    await sender.pass(clock, 10_000);
    expect(sender.sent).toHaveLength(1);
    expect(sender.forgotten).toEqual(['whk_1']);
    expect(delivery.stats.endpoints).toBe(0);
  });

  it('that changed is sent to as it is now', async () => {
    const delivery = await started();
    outbox.owned = [anEndpoint({ url: 'https://moved.example/' })];
    await delivery.refreshEndpoints();
    delivery.accept([commit('call_1', 1)]);
    expect(sender.sent[0]!.endpoint.url).toBe('https://moved.example/');
  });
});

describe('the sweep', () => {
  it('finds a row that memory lost, and leaves the others alone', async () => {
    const delivery = await started({ pageRows: 4 });
    sender.verdict = ({ envelope }) => (envelope.resource.id === 'call_busy' ? 'http_5xx' : null);
    for (let i = 1; i <= 6; i++) delivery.accept([commit(`call_busy`, i)]);
    commit('call_lost', 1);
    await sender.pass(clock, 200_000);
    expect(sender.sequencesOf('call_lost')).toEqual([1]);
    expect(delivery.stats.sweptRows).toBe(1);
    expect(sender.mostAtOnce('call_busy')).toBe(1);
  });
});

describe('a test', () => {
  it('is one attempt now, outside the lanes and written nowhere', async () => {
    const delivery = await started();
    sender.durationMs = () => 100;
    delivery.accept([commit('call_1', 1)]);
    const test = delivery.sendTest(anEndpoint(), anEnvelope('call_1', 2, { type: 'endpoint.test' }));
    expect(sender.sent).toHaveLength(2);
    await sender.pass(clock, 200);
    expect(await test).toMatchObject({ trigger: 'test', number: 1, errorClass: null });
    expect(outbox.recorded).toHaveLength(1);
    expect(delivery.stats.delivered).toBe(1);
  });
});

describe('a URL', () => {
  it.each([
    ['https://example.com/hook', undefined],
    ['https://nowhere.example/', undefined],
    ['https://inside.example/', 'failed_precondition'],
    ['http://169.254.169.254/', 'failed_precondition'],
    ['gopher://example.com/', 'invalid_argument'],
  ])('%s is judged on save', async (url, fault) => {
    expect((await deliveryWith().checkUrl(url))?.fault).toBe(fault);
  });

  it('that is inside may be saved where the operator opened it', async () => {
    const delivery = deliveryWith({ egressAllow: ['10.0.0.0/24'] });
    expect(await delivery.checkUrl('https://inside.example/')).toBeUndefined();
  });
});

it('a delivery that is closed sends nothing more, and leaves what is owed in the outbox', async () => {
  const delivery = await started();
  sender.verdict = () => 'http_5xx';
  delivery.accept([commit('call_1', 1)]);
  await sender.pass(clock);
  const closed = delivery.close();
  await turn();
  await closed;
  delivery.accept([commit('call_2', 1)]);
  await sender.pass(clock, 100_000);
  expect(sender.sent).toHaveLength(1);
  expect(outbox.statesOf('whk_1')).toEqual(['retrying', 'pending']);
  expect(clock.pendingTasks).toBe(0);
});
