import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../src/cluster/heartbeat.ts';
import { LocalRegistry } from '../../src/cluster/local-registry.ts';
import { Membership } from '../../src/cluster/membership.ts';
import { advanceStanding, STARTING } from '../../src/cluster/node-standing.ts';
import { FakeClock } from '../fakes/clock.ts';
import type { NodeRecord } from '../../src/cluster/node-record.ts';
import { nodeRecord } from '../fakes/node-records.ts';

describe('the heartbeat of a node', () => {
  it('starts, serves with its first accepted beat and says so at once, drains and leaves', async () => {
    const clock = new FakeClock();
    const registry = new LocalRegistry(clock);
    const membership = new Membership();
    const describe = () => nodeRecord('n0');
    const heartbeat = new Heartbeat({ clock, registry, membership, describe });
    expect(heartbeat.state).toBe('starting');
    await turn();
    expect(heartbeat.state).toBe('serving');
    expect(membership.fit(0).map(({ incarnation }) => incarnation)).toEqual(['n0']);
    heartbeat.drain();
    await turn();
    expect(membership.standingOf('n0', 0)).toBe('unfit');
    await heartbeat.leave();
    expect(heartbeat.state).toBe('leaving');
    expect((await registry.beat(nodeRecord('n1'))).nodes).toHaveLength(1);
    expect(clock.pendingTasks).toBe(0);
  });

  it('asks again soon while nobody has heard of it, for half a second', async () => {
    const clock = new FakeClock();
    const registry = new LocalRegistry(clock);
    const asked: number[] = [];
    let isAway = true;
    const faulty = {
      leave: (incarnation: string) => registry.leave(incarnation),
      beat: async (node: NodeRecord) => {
        asked.push(clock.nowMs());
        return isAway ? undefined : registry.beat(node);
      },
    };
    const describe = () => nodeRecord('n0');
    const heartbeat = new Heartbeat({ clock, registry: faulty, membership: new Membership(), describe });
    for (let passedMs = 0; passedMs < 1_900; passedMs += 10) {
      await turn();
      clock.advance(10);
    }
    expect(asked).toEqual([0, 50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 1_000, 1_500]);
    isAway = false;
    clock.advance(100);
    await turn();
    expect(heartbeat.state).toBe('serving');
    await heartbeat.leave();
  });

  it('knows how far the registry’s wall clock is ahead, whichever of the two is stepped', async () => {
    const clock = new FakeClock();
    const registry = new LocalRegistry(new FakeClock({ unixMs: clock.unixMs() + 400 }));
    const membership = new Membership();
    const heartbeat = new Heartbeat({ clock, registry, membership, describe: () => nodeRecord('n0') });
    await turn();
    expect([heartbeat.isAnswered, heartbeat.clockSkewMs]).toEqual([true, 400]);
    clock.stepWallClock(10_000);
    clock.advance(500);
    await turn();
    // The registry of this test stands still.
    expect(heartbeat.clockSkewMs).toBe(400 - 10_000 - 500);
    expect(membership.leaseAgeMs(clock.nowMs() + 20)).toBe(20);
    heartbeat.close();
  });

  it('is not degraded by a late loop where the operator believes none', async () => {
    const clock = new FakeClock();
    const states = [true, false].map((isDelayBelieved) => {
      const describe = () => nodeRecord('n0', { loopDelayP99Ms: 90 });
      const options = { clock, registry: new LocalRegistry(clock), membership: new Membership(), describe };
      return new Heartbeat({ ...options, isDelayBelieved });
    });
    for (let beats = 0; beats < 4; beats++) {
      await turn();
      clock.advance(500);
    }
    await turn();
    expect(states.map(({ state }) => state)).toEqual(['degraded', 'serving']);
  });

  it('is degraded by a late loop in three beats in a row, and fit again after three that are well', () => {
    const beat = (loopDelayP99Ms: number) => ({ type: 'beat_accepted', loopDelayP99Ms }) as const;
    let standing = advanceStanding(STARTING, beat(1));
    const states = [60, 60, 1, 60, 60, 60, 1, 1, 60, 1, 1, 1].map((delayMs) => {
      standing = advanceStanding(standing, beat(delayMs));
      return standing.state;
    });
    expect(states.map((state) => state[0]).join('')).toBe('sssssdddddds');
    const draining = advanceStanding(standing, { type: 'drain' });
    expect(advanceStanding(draining, beat(1))).toBe(draining);
  });
});
