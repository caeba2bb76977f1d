import { describe, expect, it } from 'vitest';
import { LANE_LIMITS, newLaneStats, type LaneLimits } from '../../../src/delivery/lanes/lane-entry.ts';
import type { Lane } from '../../../src/delivery/lanes/lane.ts';
import { LineUp } from '../../../src/delivery/lanes/line-up.ts';
import { UndeliveredNames } from '../../../src/delivery/lanes/undelivered.ts';
import type { Endpoint } from '../../../src/delivery/outbox.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { anEndpoint, anEnvelope, FakeOutbox } from '../../fakes/outbox.ts';

/** The lanes of one endpoint, and nobody who makes requests. */
class Desk {
  readonly clock = new FakeClock({ nowMs: 1_000 });
  readonly outbox = new FakeOutbox([anEndpoint()]);
  readonly stats = newLaneStats();
  readonly theirs = new Set<string>();
  readonly lineUp: LineUp;
  due = 0;

  constructor(endpoint: Partial<Endpoint> = {}, limits: Partial<LaneLimits> = {}) {
    this.lineUp = new LineUp({
      clock: this.clock,
      outbox: this.outbox,
      stats: this.stats,
      limits: { ...LANE_LIMITS, ...limits },
      roomMade: () => undefined,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      endpoint: () => anEndpoint(endpoint),
      names: new UndeliveredNames(this.stats),
      territory: { holds: (resourceId) => !this.theirs.has(resourceId), fenceOf: () => undefined },
      onDue: () => void this.due++,
    });
  }

  /** False where there was no room for it. */
  take(callId: string, sequence: number): boolean {
    const { position, envelope, deliveries } = this.outbox.commit(anEnvelope(callId, sequence));
    const id = deliveries[0]!.deliveryId;
    return this.lineUp.take({ id, position, attempts: 0, dueInMs: 0, envelope, stamps: null });
  }

  /** Whose turn is next; the lane is taken out. */
  begins(): Lane {
    const lane = this.lineUp.next('open');
    if (lane === undefined) throw new Error('nobody is due');
    this.lineUp.begin(lane);
    return lane;
  }

  /** The attempt of the lane's head failed; others may go past it from `holdMs` from now on. */
  fails(lane: Lane, how: { readonly againInMs: number; readonly holdMs?: number }): void {
    const [head] = lane.items;
    head!.dueAtMs = this.clock.nowMs() + how.againInMs;
    if (how.holdMs !== undefined) head!.holdUntilAtMs = this.clock.nowMs() + how.holdMs;
    this.lineUp.tryAgain(lane, head!, head!.letter!);
    this.lineUp.arm(lane);
  }
}

describe('the lanes that wait', () => {
  it('have turns one after the other, and none while their head is under way', () => {
    const desk = new Desk();
    for (const [callId, sequence] of [
      ['one', 1],
      ['two', 1],
      ['one', 2],
    ] as const)
      desk.take(callId, sequence);
    const [one, two] = [desk.begins(), desk.begins()];
    expect([one.key, two.key, desk.lineUp.isAnyDue]).toEqual(['one', 'two', false]);
    desk.lineUp.drop(one, one.items[0]!);
    desk.lineUp.arm(one);
    expect(desk.begins()).toBe(one);
  });

  it('leave what stands behind waiting heads to the outbox when there is no other room', () => {
    const desk = new Desk({}, { entriesMax: 4 });
    desk.take('one', 1);
    desk.take('one', 2);
    desk.fails(desk.begins(), { againInMs: 60_000 });
    expect(desk.stats.parkedLanes).toBe(0);
    for (const callId of ['two', 'three', 'four']) expect(desk.take(callId, 1)).toBe(true);
    // The waiting head counts by itself: the next is one too many, were it not for the tail behind it.
    expect([desk.take('five', 1), desk.stats.parkedLanes]).toEqual([true, 1]);
    expect(desk.take('six', 1)).toBe(false);
  });

  it('give no turn to what became another process’s while it stood in line', () => {
    const desk = new Desk();
    desk.take('one', 1);
    desk.take('two', 1);
    desk.theirs.add('one');
    expect(desk.lineUp.next('open')?.key).toBe('two');
    expect(desk.lineUp.entries).toBe(1);
  });

  it('have one request at a time, also where the next began in the turn the first stepped aside', async () => {
    const desk = new Desk({ ordering: 'bounded' });
    desk.take('one', 1);
    desk.fails(desk.begins(), { againInMs: 60_000, holdMs: 5_000 });
    desk.clock.advance(5_000);
    expect(desk.stats.overtakes).toBe(1);
    desk.take('one', 2);
    expect(desk.begins().items.map(({ position }) => position)).toEqual([2]);
    await Promise.resolve().then(() => undefined);
    expect(desk.lineUp.isAnyDue).toBe(false);
  });
});
