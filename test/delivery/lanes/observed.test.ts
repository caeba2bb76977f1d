import { beforeEach, describe, expect, it } from 'vitest';
import { IN_FLIGHT_LIMITS, InFlightBudget } from '../../../src/delivery/lanes/in-flight.ts';
import { LANE_LIMITS, newLaneStats, type LaneLimits } from '../../../src/delivery/lanes/lane-entry.ts';
import { EndpointLanes, type LanePorts } from '../../../src/delivery/lanes/lanes.ts';
import type { AttemptFinished, HookSent } from '../../../src/delivery/observer.ts';
import type { Endpoint } from '../../../src/delivery/outbox.ts';
import type { CommittedEvent } from '../../../src/events/journal.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { FakeSender } from '../../fakes/hook-sender.ts';
import { anEndpoint, anEnvelope, FakeOutbox } from '../../fakes/outbox.ts';

let clock: FakeClock;
let outbox: FakeOutbox;
let sender: FakeSender;
let stats = newLaneStats();
let sent: HookSent[];
let finished: AttemptFinished[];

/** A breaker that never opens. */
const WELL: LanePorts['health'] = {
  gate: 'open',
  begin: () => 0,
  end: () => undefined,
  onChange: () => undefined,
  update: () => undefined,
  close: () => undefined,
};

beforeEach(() => {
  clock = new FakeClock({ nowMs: 1_000 });
  outbox = new FakeOutbox([anEndpoint()]);
  sender = new FakeSender(clock);
  stats = newLaneStats();
  sent = [];
  finished = [];
});

function lanesOf(endpoint: Partial<Endpoint> = {}, limits: Partial<LaneLimits> = {}): EndpointLanes {
  return new EndpointLanes(anEndpoint(endpoint), {
    clock,
    ages: clock,
    sender,
    outbox,
    stats,
    observer: { hookSent: (told) => sent.push(told), attemptFinished: (told) => finished.push(told) },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    limits: { ...LANE_LIMITS, ...limits },
    budget: new InFlightBudget(IN_FLIGHT_LIMITS, stats),
    health: WELL,
    disable: () => undefined,
    roomMade: () => undefined,
  });
}

function take(lanes: EndpointLanes, event: CommittedEvent): boolean {
  const { position, envelope, receivedAtMs, decidedAtMs } = event;
  const stamps = { receivedAtMs, decidedAtMs, committedAtMs: clock.nowMs() };
  const id = event.deliveries[0]!.deliveryId;
  return lanes.take({ id, position, attempts: 0, dueInMs: 0, envelope, stamps });
}

const commit = (callId: string, sequence: number) => outbox.commit(anEnvelope(callId, sequence));

describe('the observer', () => {
  it('is told the stamps of every request that left, and how each attempt ended', async () => {
    const lanes = lanesOf();
    sender.script('call_1', ['http_5xx', null]);
    take(lanes, commit('call_1', 1));
    await sender.pass(clock, 6_100);
    expect(sent).toHaveLength(2);
    expect(sent[0]).toMatchObject({
      endpointId: 'whk_1',
      eventClass: 'voice',
      attempt: 1,
      receivedAtMs: 1,
      decidedAtMs: 2,
      committedAtMs: 1_000,
    });
    expect(sent[0]!.sentAtMs).toBeGreaterThan(999);
    expect(finished.map(({ state, errorClass, attempt }) => [state, errorClass, attempt])).toEqual([
      ['retrying', 'http_5xx', 1],
      ['delivered', null, 2],
    ]);
  });

  it('that breaks costs one entry, not the endpoint', async () => {
    const lanes = lanesOf();
    finished.push = () => {
      throw new Error('broken');
    };
    take(lanes, commit('call_1', 1));
    take(lanes, commit('call_1', 2));
    await sender.pass(clock);
    expect(outbox.statesOf('whk_1')).toEqual(['delivered', 'delivered']);
    expect(lanes).toMatchObject({ entries: 0, envelopes: 0 });
  });

  it('tells which first attempts waited for their receiver', async () => {
    const lanes = lanesOf();
    sender.script('call_1', ['http_5xx', null]);
    take(lanes, commit('call_1', 1));
    take(lanes, commit('call_1', 2));
    take(lanes, commit('call_2', 1));
    await sender.pass(clock, 6_100);
    take(lanes, commit('call_1', 3));
    await sender.pass(clock);
    const told = sent.map(({ attempt, isHeldUp, sentAtMs }) => ({
      attempt,
      isHeldUp,
      isLate: sentAtMs > 2_000,
    }));
    expect(told).toEqual([
      { attempt: 1, isHeldUp: false, isLate: false },
      { attempt: 1, isHeldUp: false, isLate: false },
      { attempt: 2, isHeldUp: true, isLate: true },
      { attempt: 1, isHeldUp: true, isLate: true },
      { attempt: 1, isHeldUp: false, isLate: true },
    ]);
  });

  it('tells that a receiver with all it may have kept others waiting', async () => {
    const lanes = lanesOf({}, { inFlightMax: 1 });
    take(lanes, commit('call_1', 1));
    take(lanes, commit('call_2', 1));
    await sender.pass(clock);
    expect(sent.map(({ isHeldUp }) => isHeldUp)).toEqual([false, true]);
  });
});
