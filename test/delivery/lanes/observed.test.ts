import { beforeEach, describe, expect, it } from 'vitest';
import { LaneDesk } from './lane-desk.ts';

let desk: LaneDesk;
let clock: LaneDesk['clock'];
let sender: LaneDesk['sender'];
let outbox: LaneDesk['outbox'];
let sent: LaneDesk['sent'];
let finished: LaneDesk['finished'];

beforeEach(() => {
  desk = new LaneDesk();
  ({ clock, sender, outbox, sent, finished } = desk);
});

const lanesOf: LaneDesk['lanesOf'] = (...asked) => desk.lanesOf(...asked);
const take: LaneDesk['take'] = (...asked) => desk.take(...asked);
const commit: LaneDesk['commit'] = (...asked) => desk.commit(...asked);

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
