import { describe, expect, it } from 'vitest';
import { Load } from '../../../src/cli/calling/load.ts';
import { sleep } from '../../../src/base/clock.ts';
import { FakeClock } from '../../fakes/clock.ts';

/** Virtual time with room for promises in between. */
async function passes(clock: FakeClock, durationMs: number): Promise<void> {
  for (let i = 0; i < durationMs; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1);
  }
}

describe('a load', () => {
  it('places its calls at a steady rate that late timers do not slow', async () => {
    const clock = new FakeClock();
    const placedAtMs: number[] = [];
    const place = async (): Promise<void> => {
      placedAtMs.push(clock.nowMs());
      await sleep(clock, 100);
    };
    const load = new Load({ clock, count: 5, ratePerS: 30, place });
    const run = load.run();
    await passes(clock, 300);
    await run;
    expect(placedAtMs).toEqual([0, 34, 67, 100, 134]);
    expect(load.stats).toEqual({ placedCalls: 5, overCalls: 5, mostCalls: 3 });
  });

  it('places no more when it is stopped, and waits for those that are up', async () => {
    const clock = new FakeClock();
    const load = new Load({ clock, count: 100, ratePerS: 10, place: () => sleep(clock, 1_000) });
    let isOver = false;
    const run = load.run().then(() => (isOver = true));
    await passes(clock, 150);
    load.stop();
    await passes(clock, 100);
    expect([load.stats.placedCalls, isOver]).toEqual([2, false]);
    await passes(clock, 900);
    await run;
    expect([load.stats.placedCalls, clock.pendingTasks]).toEqual([2, 0]);
  });
});
