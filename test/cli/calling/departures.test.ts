import { describe, expect, it } from 'vitest';
import { Departures } from '../../../src/cli/calling/departures.ts';
import { FakeClock } from '../../fakes/clock.ts';

describe('departures', () => {
  it('leave in the order of their instants, each at its own', () => {
    const clock = new FakeClock();
    const left: [number, number][] = [];
    const departures = new Departures(clock, (index) => void left.push([index, clock.nowMs()]));
    departures.hold(1, 40);
    departures.hold(2, 15.5);
    departures.hold(3, 40);
    departures.hold(4, 60);
    clock.advance(50);
    expect(left).toEqual([
      [2, 16],
      [1, 40],
      [3, 40],
    ]);
    expect(departures.size).toBe(1);
  });

  it('keep their order where the machine stood still', () => {
    const left: number[] = [];
    let nowMs = 0;
    const tasks: (() => void)[] = [];
    const clock = {
      nowMs: () => nowMs,
      after: (_: number, task: () => void) => {
        tasks.push(task);
        return () => void tasks.splice(tasks.indexOf(task), 1);
      },
    };
    const departures = new Departures(clock, (index) => void left.push(index));
    for (const [index, atMs] of [
      [1, 50],
      [2, 20],
      [3, 45],
    ] as const)
      departures.hold(index, atMs);
    nowMs = 1000;
    tasks.pop()?.();
    expect(left).toEqual([2, 3, 1]);
  });

  it('forget what they hold when they are closed', () => {
    const clock = new FakeClock();
    const departures = new Departures(clock, () => expect.unreachable());
    departures.hold(1, 10);
    departures.close();
    clock.advance(100);
    expect(clock.pendingTasks).toBe(0);
  });
});
