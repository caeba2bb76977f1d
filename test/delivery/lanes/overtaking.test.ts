import { beforeEach, describe, expect, it } from 'vitest';
import { openDelivery, type Delivery, type DeliverySettings } from '../../../src/delivery/delivery.ts';
import type {
  EndpointNotice,
  HealthRecord,
  HealthStore,
} from '../../../src/delivery/breaker/health-record.ts';
import { LANE_LIMITS } from '../../../src/delivery/lanes/lane-entry.ts';
import type { Endpoint } from '../../../src/delivery/outbox.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { FakeSender } from '../../fakes/hook-sender.ts';
import { anEndpoint, anEnvelope, FakeOutbox } from '../../fakes/outbox.ts';

const REFUSED = { errorClass: 'http_4xx', status: 422 } as const;
const HOUR_MS = 3_600_000;

let clock: FakeClock;
let outbox: FakeOutbox;
let sender: FakeSender;
let notices: EndpointNotice[];
let health: FakeHealth;

class FakeHealth implements HealthStore {
  readonly records = new Map<string, HealthRecord>();
  readonly disabled: string[] = [];

  async load(): Promise<readonly HealthRecord[]> {
    return [...this.records.values()];
  }

  async save(record: HealthRecord): Promise<void> {
    this.records.set(record.endpointId, record);
  }

  async disable(endpointId: string, reason: string): Promise<void> {
    this.disabled.push(`${endpointId} ${reason}`);
    outbox.owned = outbox.owned.map((one) => (one.id === endpointId ? { ...one, enabled: false } : one));
  }
}

beforeEach(() => {
  clock = new FakeClock({ nowMs: 1_000 });
  outbox = new FakeOutbox([anEndpoint()]);
  sender = new FakeSender(clock);
  notices = [];
  health = new FakeHealth();
});

async function started(endpoint: Partial<Endpoint> = {}, settings: Partial<DeliverySettings> = {}) {
  outbox.owned = [anEndpoint(endpoint)];
  const delivery = openDelivery({
    outbox,
    clock,
    sender,
    health,
    announce: (notice) => notices.push(notice),
    settings: { egressAllow: [], userAgent: 'Omnivoice/1', ...settings },
    observer: { hookSent: () => undefined, attemptFinished: () => undefined },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  const start = delivery.start();
  await sender.pass(clock);
  await start;
  return delivery;
}

function tell(delivery: Delivery, callId: string, ...sequences: number[]): void {
  const created_at = new Date(clock.unixMs()).toISOString();
  for (const sequence of sequences)
    delivery.accept([outbox.commit(anEnvelope(callId, sequence, { created_at }))]);
}

const namesOf = (callId: string) =>
  sender.sent
    .filter(({ envelope }) => envelope.resource.id === callId)
    .map(({ envelope, previousUndelivered = [] }) => [envelope.sequence, previousUndelivered]);

describe('a head that is dead', () => {
  it('is named by the next, until one that named it has arrived', async () => {
    const delivery = await started({ retryDelaysMs: [] });
    sender.script('call_1:1', ['http_5xx']);
    sender.script('call_1:2', ['http_5xx']);
    tell(delivery, 'call_1', 1, 2, 3, 4);
    await sender.pass(clock);
    expect(namesOf('call_1')).toEqual([
      [1, []],
      [2, ['evt_call_1_1']],
      [3, ['evt_call_1_1', 'evt_call_1_2']],
      [4, []],
    ]);
    expect(outbox.names).toEqual([]);
  });

  it('is named after a restart as well', async () => {
    const before = await started({ retryDelaysMs: [] });
    sender.script('call_1:1', ['http_5xx']);
    tell(before, 'call_1', 1);
    await sender.pass(clock);
    await before.close();
    const after = await started({ retryDelaysMs: [] });
    tell(after, 'call_1', 2);
    await sender.pass(clock);
    expect(namesOf('call_1').at(-1)).toEqual([2, ['evt_call_1_1']]);
  });
});

describe('a head that is refused', () => {
  it('has its strikes counted over a restart', async () => {
    const policy = { retryDelaysMs: [1_000, 1_000, 1_000, HOUR_MS] };
    sender.script(
      'call_1:1',
      Array.from({ length: 9 }, () => REFUSED),
    );
    const before = await started(policy);
    tell(before, 'call_1', 1, 2);
    await sender.pass(clock, 1_300);
    expect(sender.sequencesOf('call_1')).toEqual([1, 1]);
    await before.close();
    await started(policy);
    await sender.pass(clock, 1_300);
    expect(sender.sequencesOf('call_1')).toEqual([1, 1, 1, 2]);
    expect(namesOf('call_1').at(-1)).toEqual([2, ['evt_call_1_1']]);
  });

  it('stays aside over a restart, is named until it arrives, and by nobody after', async () => {
    const policy = { retryDelaysMs: [1_000, 1_000, 60_000, HOUR_MS] };
    sender.script('call_1:1', [REFUSED, REFUSED, REFUSED, null]);
    const before = await started(policy);
    tell(before, 'call_1', 1, 2);
    await sender.pass(clock, 2_600);
    await before.close();
    const after = await started(policy);
    tell(after, 'call_1', 3);
    await sender.pass(clock, 100);
    expect(namesOf('call_1').at(-1)).toEqual([3, ['evt_call_1_1']]);
    await sender.pass(clock, 80_000);
    tell(after, 'call_1', 4);
    await sender.pass(clock);
    expect(namesOf('call_1').slice(-2)).toEqual([
      [1, []],
      [4, []],
    ]);
    expect(outbox.statesOf('whk_1')).toEqual(Array(4).fill('delivered'));
  });
});

describe('a bounded endpoint', () => {
  it('holds a failing head for so long, and then goes past it', async () => {
    const delivery = await started({ ordering: 'bounded', holdMs: 10_000, retryDelaysMs: [60_000, 60_000] });
    sender.script('call_1:1', ['http_5xx', null]);
    tell(delivery, 'call_1', 1, 2, 3);
    await sender.pass(clock, 9_900);
    expect(sender.sequencesOf('call_1')).toEqual([1]);
    await sender.pass(clock, 300);
    expect(sender.sequencesOf('call_1')).toEqual([1, 2, 3]);
    expect(namesOf('call_1').slice(1)).toEqual([
      [2, ['evt_call_1_1']],
      [3, ['evt_call_1_1']],
    ]);
    await sender.pass(clock, 80_000);
    expect(sender.sequencesOf('call_1')).toEqual([1, 2, 3, 1]);
    expect(delivery.stats).toMatchObject({ overtakes: 1, delivered: 3, entries: 0 });
  });

  it('keeps the order where the head comes through within it', async () => {
    const delivery = await started({ ordering: 'bounded', holdMs: 10_000, retryDelaysMs: [5_000] });
    sender.script('call_1:1', ['http_5xx', null]);
    tell(delivery, 'call_1', 1, 2);
    await sender.pass(clock, 7_000);
    expect(sender.sequencesOf('call_1')).toEqual([1, 1, 2]);
  });
});

describe('an endpoint that answers', () => {
  it('410 is switched off: the rest is held, and released in order when it is on again', async () => {
    const delivery = await started();
    sender.script('call_1:1', [{ errorClass: 'http_4xx', status: 410 }]);
    tell(delivery, 'call_1', 1, 2, 3);
    await sender.pass(clock, 1_000);
    expect(sender.sequencesOf('call_1')).toEqual([1]);
    expect(health.disabled).toEqual(['whk_1 gone']);
    expect(notices.map(({ type, data }) => [type, data['reason']])).toEqual([['endpoint.disabled', 'gone']]);
    expect(outbox.statesOf('whk_1')).toEqual(['dead', 'pending', 'pending']);
    outbox.owned = [anEndpoint()];
    await delivery.refreshEndpoints();
    await sender.pass(clock, 1_000);
    expect(sender.sequencesOf('call_1')).toEqual([1, 2, 3]);
  });
});

describe('an endpoint that fails', () => {
  const policy = { retryDelaysMs: Array<number>(20).fill(HOUR_MS) };

  it('is left alone after five failures, tried with its oldest head, and drained when that succeeds', async () => {
    const delivery = await started(policy);
    sender.verdict = () => 'http_5xx';
    for (let call = 1; call <= 5; call++) tell(delivery, `call_${call}`, 1);
    await sender.pass(clock, 100);
    for (let call = 6; call <= 60; call++) tell(delivery, `call_${call}`, 1);
    await sender.pass(clock, 4_000);
    expect(sender.sent).toHaveLength(5);
    await sender.pass(clock, 1_100);
    expect(sender.sent.slice(5).map(({ envelope }) => envelope.resource.id)).toEqual(['call_6']);
    await sender.pass(clock, 9_000);
    expect(sender.sent).toHaveLength(6);
    sender.verdict = () => null;
    await sender.pass(clock, 1_200);
    expect(sender.sent.slice(6, 8).map(({ envelope }) => envelope.resource.id)).toEqual(['call_7', 'call_8']);
    expect(outbox.statesOf('whk_1').filter((state) => state === 'delivered')).toHaveLength(54);
    expect(delivery.stats).toMatchObject({ breakerOpenings: 2, probes: 2 });
  });

  it('is left alone after a restart too', async () => {
    const before = await started(policy);
    sender.verdict = () => 'connection_refused';
    for (let call = 1; call <= 9; call++) tell(before, `call_${call}`, 1);
    await sender.pass(clock, 100);
    await before.close();
    const { length: sentBefore } = sender.sent;
    const after = await started(policy);
    tell(after, 'call_new', 1);
    await sender.pass(clock, 4_000);
    expect(sender.sent).toHaveLength(sentBefore);
    expect(after.stats.endpointsFailing).toBe(1);
  });

  it('is told of at the fourth attempt of an event, once, and told of again when it is well', async () => {
    const delivery = await started({ retryDelaysMs: Array(9).fill(10_000) });
    sender.script('call_1', ['http_5xx', 'http_5xx', 'http_5xx', 'http_5xx', 'http_5xx', null]);
    tell(delivery, 'call_1', 1);
    await sender.pass(clock, 35_900);
    expect(notices.map(({ type }) => type)).toEqual(['endpoint.failing']);
    await sender.pass(clock, 200_000);
    expect(notices.map(({ type, data }) => [type, data['reason'] ?? null])).toEqual([
      ['endpoint.failing', 'attempts'],
      ['endpoint.recovered', null],
    ]);
  });

  it('for five days is switched off, though not before, and nothing owed to it is lost', async () => {
    const delivery = await started({ retryDelaysMs: Array(40).fill(6 * HOUR_MS) });
    sender.verdict = () => 'http_5xx';
    for (let day = 0; day < 5; day++) {
      for (let call = 0; call < 3; call++) tell(delivery, `call_${day}_${call}`, 1);
      await sender.pass(clock, 23 * HOUR_MS);
      expect(health.disabled).toEqual([]);
      await sender.pass(clock, HOUR_MS);
    }
    tell(delivery, 'call_last', 1);
    await sender.pass(clock, 12 * HOUR_MS);
    expect(health.disabled).toEqual(['whk_1 failing']);
    const reasons = notices.map(({ data }) => data['reason']);
    expect(new Set(reasons)).toEqual(
      new Set(['attempts', 'open_15m', 'failing_24h', 'failing_72h', 'failing']),
    );
    expect(reasons).toHaveLength(5);
    expect(outbox.statesOf('whk_1').at(-1)).not.toBe('delivered');
    expect(outbox.statesOf('whk_1')).not.toContain('dead');
  });

  it('is not judged by replays and tests', async () => {
    const delivery = await started(policy);
    sender.verdict = () => 'http_5xx';
    for (let call = 1; call <= 9; call++) {
      const { envelope, position, deliveries } = outbox.commit(anEnvelope(`call_${call}`, 1));
      const id = deliveries[0]!.deliveryId;
      const row = { id, endpointId: 'whk_1', position, envelope, attempts: 0, nextAttemptUnixMs: null };
      delivery.resend([{ ...row, isManual: true, createdUnixMs: clock.unixMs() }]);
      void delivery.sendTest(anEndpoint(), envelope);
      await sender.pass(clock, 50);
    }
    expect(sender.sent.filter(({ trigger }) => trigger === 'manual')).toHaveLength(9);
    expect(delivery.stats).toMatchObject({ breakerOpenings: 0, endpointsFailing: 0 });
  });
});

describe('the memory of an endpoint', () => {
  it('is not filled by what stands behind heads that wait: others go on, and nothing is lost', async () => {
    const limits = { ...LANE_LIMITS, entriesMax: 20, waitingMax: 50 };
    const delivery = await started({ retryDelaysMs: [600_000] }, { limits });
    for (let call = 1; call <= 4; call++) sender.script(`stuck_${call}:1`, [REFUSED, null]);
    for (let call = 1; call <= 4; call++) {
      tell(delivery, `stuck_${call}`, ...Array.from({ length: 40 }, (_, index) => index + 1));
      await sender.pass(clock, 20);
    }
    tell(delivery, 'call_ok', 1, 2, 3);
    await sender.pass(clock, 100);
    expect(sender.sequencesOf('call_ok')).toEqual([1, 2, 3]);
    expect(delivery.stats.entries).toBeLessThanOrEqual(24);
    expect(delivery.stats.parkedLanes).toBeGreaterThan(0);
    await sender.pass(clock, 800_000);
    for (let call = 1; call <= 4; call++) {
      const order = sender.sequencesOf(`stuck_${call}`);
      expect(order).toEqual([1, ...Array.from({ length: 40 }, (_, index) => index + 1)]);
    }
    expect(new Set(outbox.statesOf('whk_1'))).toEqual(new Set(['delivered']));
  });

  it('is bounded while very many deliveries wait', async () => {
    const waiting = process.env['OMNIVOICE_TEST_LONG'] ? 100_000 : 1_000;
    const limits = { ...LANE_LIMITS, entriesMax: waiting / 100, envelopesMax: waiting / 100 };
    const delivery = await started({ retryDelaysMs: [HOUR_MS] }, { limits, pageRows: waiting / 50 });
    sender.verdict = () => 'connection_refused';
    for (let call = 0; call < waiting; call++) {
      tell(delivery, `call_${call % (waiting / 4)}`, 1 + Math.floor((call * 4) / waiting));
      expect(delivery.stats.entries).toBeLessThanOrEqual(limits.entriesMax + limits.waitingMax);
    }
    await sender.pass(clock, 100);
    const { entries, envelopes } = delivery.stats;
    expect(entries).toBeLessThanOrEqual(limits.entriesMax + limits.inFlightMax);
    expect(envelopes).toBeLessThanOrEqual(limits.envelopesMax);
  });
});
