import { beforeEach, describe, expect, it } from 'vitest';
import { anEndpoint, anEnvelope } from '../../fakes/outbox.ts';
import { LaneDesk } from './lane-desk.ts';

const MINUTE_MS = 60_000;

let desk: LaneDesk;
let clock: LaneDesk['clock'];
let sender: LaneDesk['sender'];
let outbox: LaneDesk['outbox'];
let stats: LaneDesk['stats'];
let sent: LaneDesk['sent'];
let finished: LaneDesk['finished'];

beforeEach(() => {
  desk = new LaneDesk();
  ({ clock, sender, outbox, stats, sent, finished } = desk);
});

const lanesOf: LaneDesk['lanesOf'] = (...asked) => desk.lanesOf(...asked);
const take: LaneDesk['take'] = (...asked) => desk.take(...asked);
const commit: LaneDesk['commit'] = (...asked) => desk.commit(...asked);

describe('a lane', () => {
  it('has one request under way, and sends the next when the last is delivered', async () => {
    const lanes = lanesOf();
    for (const sequence of [1, 2, 3]) take(lanes, commit('call_1', sequence));
    expect(sender.sequencesOf('call_1')).toEqual([1]);
    await sender.pass(clock);
    expect(sender.sequencesOf('call_1')).toEqual([1, 2, 3]);
    expect(sender.mostAtOnce('call_1')).toBe(1);
    expect(outbox.statesOf('whk_1')).toEqual(['delivered', 'delivered', 'delivered']);
    expect(lanes).toMatchObject({ entries: 0, envelopes: 0, inFlight: 0 });
  });

  it('waits for its failing head, on schedule, while other lanes go on', async () => {
    const lanes = lanesOf();
    sender.script('call_1', ['http_5xx', 'connection_refused', null]);
    take(lanes, commit('call_1', 1));
    take(lanes, commit('call_1', 2));
    take(lanes, commit('call_2', 1));
    await sender.pass(clock);
    expect(sender.sequencesOf('call_1')).toEqual([1]);
    expect(sender.sequencesOf('call_2')).toEqual([1]);
    await sender.pass(clock, 3_900);
    expect(sender.sequencesOf('call_1')).toEqual([1]);
    await sender.pass(clock, 2_200);
    expect(sender.sequencesOf('call_1')).toEqual([1, 1]);
    await sender.pass(clock, 36_100);
    expect(sender.sequencesOf('call_1')).toEqual([1, 1, 1, 2]);
    expect(sender.sent.map(({ number, trigger }) => [number, trigger])).toEqual([
      [1, 'event'],
      [1, 'event'],
      [2, 'retry'],
      [3, 'retry'],
      [1, 'event'],
    ]);
  });

  it('records each attempt with what comes next, and when', async () => {
    const lanes = lanesOf({ retryDelaysMs: [5_000] });
    sender.script('call_1', ['http_5xx', 'http_5xx']);
    take(lanes, commit('call_1', 1));
    await sender.pass(clock);
    const [{ attempt, outcome } = { attempt: null, outcome: null }] = outbox.recorded;
    expect(attempt).toMatchObject({ number: 1, errorClass: 'http_5xx' });
    expect(outcome?.state).toBe('retrying');
    expect(outcome!.nextAttemptUnixMs! - clock.unixMs()).toBeGreaterThan(3_800);
    expect(outcome!.nextAttemptUnixMs! - clock.unixMs()).toBeLessThanOrEqual(6_000);
    await sender.pass(clock, 6_100);
    expect(outbox.recorded[1]!.outcome).toMatchObject({ state: 'dead', nextAttemptUnixMs: null });
    expect(stats).toMatchObject({ failedAttempts: 2, dead: 1, delivered: 0 });
  });

  it('goes on when its head is dead', async () => {
    const lanes = lanesOf({ retryDelaysMs: [] });
    sender.script('call_1', ['timeout_response', null]);
    take(lanes, commit('call_1', 1));
    take(lanes, commit('call_1', 2));
    await sender.pass(clock);
    expect(outbox.statesOf('whk_1')).toEqual(['dead', 'delivered']);
  });

  it.each([
    ['http_4xx', 410],
    ['blocked', null],
  ] as const)('does not try again after %s %s', async (errorClass, status) => {
    const lanes = lanesOf();
    sender.script('call_1', [{ errorClass, status }]);
    take(lanes, commit('call_1', 1));
    await sender.pass(clock, 10 * MINUTE_MS);
    expect(sender.sent).toHaveLength(1);
    expect(outbox.statesOf('whk_1')).toEqual(['dead']);
  });

  it('lets a head step aside that was refused three times; it keeps its schedule', async () => {
    const lanes = lanesOf({ retryDelaysMs: [1_000, 1_000, 1_000, 60_000] });
    const refused = { errorClass: 'http_4xx', status: 422 } as const;
    sender.script('call_1:1', [refused, refused, refused, refused, null]);
    take(lanes, commit('call_1', 1));
    take(lanes, commit('call_1', 2));
    await sender.pass(clock, 1_300);
    expect(sender.sequencesOf('call_1')).toEqual([1, 1]);
    await sender.pass(clock, 1_300);
    expect(sender.sequencesOf('call_1')).toEqual([1, 1, 1, 2]);
    expect(stats.steppedAside).toBe(1);
    await sender.pass(clock, 80_000);
    expect(sender.sequencesOf('call_1')).toEqual([1, 1, 1, 2, 1, 1]);
    expect(outbox.statesOf('whk_1')).toEqual(['delivered', 'delivered']);
    expect(lanes.entries).toBe(0);
  });

  it.each([408, 425, 429])('does not step aside for a %i, which speaks of the moment', async (status) => {
    const lanes = lanesOf({ retryDelaysMs: [1_000, 1_000, 1_000, 60_000] });
    sender.script(
      'call_1:1',
      Array.from({ length: 5 }, () => ({ errorClass: 'http_4xx', status }) as const),
    );
    take(lanes, commit('call_1', 1));
    take(lanes, commit('call_1', 2));
    await sender.pass(clock, 20_000);
    expect(sender.sequencesOf('call_1')).toEqual([1, 1, 1, 1]);
  });

  it('is not kept where the endpoint asked for no order', async () => {
    const lanes = lanesOf({ ordering: 'none' });
    sender.script('call_1:1', ['http_5xx', null]);
    for (const sequence of [1, 2, 3]) take(lanes, commit('call_1', sequence));
    expect(sender.sequencesOf('call_1')).toEqual([1, 2, 3]);
    await sender.pass(clock, 10_000);
    expect(sender.sequencesOf('call_1')).toEqual([1, 2, 3, 1]);
  });
});

describe('an endpoint', () => {
  it('has at most so many requests under way, and every lane gets its turn', async () => {
    const lanes = lanesOf({}, { inFlightMax: 2 });
    for (const call of ['a', 'b', 'c', 'd']) {
      for (const sequence of [1, 2]) take(lanes, commit(call, sequence));
    }
    expect(sender.inFlight).toBe(2);
    await sender.pass(clock);
    expect(sender.mostAtOnce()).toBe(2);
    const order = sender.sent.map(({ envelope }) => `${envelope.resource.id}${envelope.sequence}`);
    expect(order).toEqual(['a1', 'b1', 'c1', 'd1', 'a2', 'b2', 'c2', 'd2']);
  });

  it('that asks to be left alone is left alone, whole, and no attempts are spent', async () => {
    const lanes = lanesOf();
    sender.script('a', [{ errorClass: 'http_4xx', status: 429, retryAfterMs: 60_000 }, null]);
    take(lanes, commit('a', 1));
    await sender.pass(clock);
    take(lanes, commit('b', 1));
    await sender.pass(clock, 59_000);
    expect(sender.sent).toHaveLength(1);
    await sender.pass(clock, 3_000);
    expect(sender.sequencesOf('a')).toEqual([1, 1]);
    expect(sender.sequencesOf('b')).toEqual([1]);
    expect(stats.pauses).toBe(1);
  });

  it('holds so many envelopes, and has the rest loaded when their turn comes, in order', async () => {
    const lanes = lanesOf({}, { envelopesMax: 3, inFlightMax: 1 });
    for (let sequence = 1; sequence <= 8; sequence++) take(lanes, commit('call_1', sequence));
    expect(lanes).toMatchObject({ entries: 8, envelopes: 3 });
    await sender.pass(clock);
    expect(sender.sequencesOf('call_1')).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(outbox.calls.load).toBe(5);
    expect(stats.spilledEnvelopes).toBe(5);
    expect(lanes).toMatchObject({ entries: 0, envelopes: 0 });
  });

  it('takes no more entries than it may hold, and says when there is room again', async () => {
    const lanes = lanesOf({}, { entriesMax: 4 });
    const taken = [1, 2, 3, 4, 5].map((sequence) => take(lanes, commit('call_1', sequence)));
    expect(taken).toEqual([true, true, true, true, false]);
    expect(lanes.hasRoomToRead).toBe(false);
    await sender.pass(clock);
    expect(desk.roomMade).toBe(1);
    expect(sender.sequencesOf('call_1')).toEqual([1, 2, 3, 4]);
  });

  it('does not take the same delivery twice', async () => {
    const lanes = lanesOf();
    const event = commit('call_1', 1);
    expect([take(lanes, event), take(lanes, event)]).toEqual([true, true]);
    await sender.pass(clock);
    expect(sender.sent).toHaveLength(1);
  });

  it('uses its new settings from the next attempt on', async () => {
    const lanes = lanesOf();
    sender.script('call_1', ['http_5xx', null]);
    take(lanes, commit('call_1', 1));
    await sender.pass(clock);
    lanes.update(anEndpoint({ url: 'http://moved.example/' }));
    await sender.pass(clock, 6_100);
    expect(sender.sent.map(({ endpoint }) => endpoint.url)).toEqual([
      anEndpoint().url,
      'http://moved.example/',
    ]);
  });
});

describe('a store that fails', () => {
  it('to record is asked again, and the next event waits for it', async () => {
    const lanes = lanesOf();
    outbox.failing.record = 3;
    take(lanes, commit('call_1', 1));
    take(lanes, commit('call_1', 2));
    await sender.pass(clock);
    expect(sender.sequencesOf('call_1')).toEqual([1]);
    await sender.pass(clock, 1_000);
    expect(sender.sequencesOf('call_1')).toEqual([1, 2]);
    expect(stats).toMatchObject({ recordFailures: 3, unrecorded: 0, delivered: 2 });
  });

  it('to record for good is given up, and the entry left to the sweep', async () => {
    const lanes = lanesOf();
    outbox.failing.record = 10;
    take(lanes, commit('call_1', 1));
    take(lanes, commit('call_1', 2));
    await sender.pass(clock, MINUTE_MS);
    expect(stats).toMatchObject({ unrecorded: 1, delivered: 1 });
    expect(lanes.entries).toBe(0);
    expect(outbox.statesOf('whk_1')).toEqual(['pending', 'delivered']);
  });

  it('to load is asked again a second later', async () => {
    const lanes = lanesOf({}, { envelopesMax: 0 });
    outbox.failing.load = 1;
    take(lanes, commit('call_1', 1));
    await sender.pass(clock);
    expect(sender.sent).toHaveLength(0);
    await sender.pass(clock, 1_100);
    expect(outbox.statesOf('whk_1')).toEqual(['delivered']);
  });

  it('no longer knows a delivery makes the lane go on', async () => {
    const lanes = lanesOf({}, { envelopesMax: 0 });
    const gone = commit('call_1', 1);
    take(lanes, gone);
    take(lanes, commit('call_1', 2));
    outbox.rows.delete(gone.deliveries[0]!.deliveryId);
    await sender.pass(clock);
    // The head was being loaded before its row went.
    expect(sender.sequencesOf('call_1').at(-1)).toBe(2);
    expect(lanes.entries).toBe(0);
  });
});

describe('an entry found again', () => {
  it('waits for its time, but not longer than its schedule would after the clock was set back', async () => {
    const lanes = lanesOf({ retryDelaysMs: [5_000, 5_000] });
    const late = commit('call_1', 1);
    const common = { position: 1, attempts: 1, stamps: null, envelope: late.envelope };
    lanes.take({ ...common, id: 'dlv_a', dueInMs: 7_000 });
    lanes.take({ ...common, id: 'dlv_b', dueInMs: 1e12, envelope: anEnvelope('call_2', 1) });
    await sender.pass(clock, 6_900);
    expect(sender.sent).toHaveLength(0);
    await sender.pass(clock, 200);
    expect(sender.sent.map(({ number, trigger }) => [number, trigger])).toEqual([[2, 'retry']]);
    await sender.pass(clock, 18 * MINUTE_MS);
    expect(sender.sequencesOf('call_2')).toEqual([1]);
    expect(sent).toHaveLength(0);
    expect(finished).toHaveLength(2);
  });

  it('that comes late takes its place in the order', async () => {
    const lanes = lanesOf();
    const events = [1, 2, 3, 4].map((sequence) => commit('call_1', sequence));
    for (const index of [0, 3, 1, 2]) take(lanes, events[index]!);
    await sender.pass(clock);
    expect(sender.sequencesOf('call_1')).toEqual([1, 2, 3, 4]);
  });
});

describe('closing', () => {
  it('waits for what is under way and starts nothing more', async () => {
    const lanes = lanesOf();
    take(lanes, commit('call_1', 1));
    take(lanes, commit('call_1', 2));
    const closed = lanes.close(1_000);
    await sender.pass(clock);
    await closed;
    expect(sender.sequencesOf('call_1')).toEqual([1]);
    expect(outbox.statesOf('whk_1')).toEqual(['delivered', 'pending']);
  });

  it('does not hold its own cutting off against the receiver', async () => {
    const lanes = lanesOf();
    sender.durationMs = () => 60_000;
    take(lanes, commit('call_1', 1));
    const closed = lanes.close(1_000);
    clock.advance(1_000);
    await closed;
    await sender.pass(clock, 60_000);
    expect(outbox.recorded).toHaveLength(0);
    expect(outbox.statesOf('whk_1')).toEqual(['pending']);
  });
});
