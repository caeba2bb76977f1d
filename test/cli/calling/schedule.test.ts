import { describe, expect, it } from 'vitest';
import { phaseMsOf, Schedule, slotAtMs } from '../../../src/cli/calling/schedule.ts';

describe('phases', () => {
  it('are spread over the 20 ms, however many calls there are', () => {
    for (const count of [2, 10, 300]) {
      const phases = Array.from({ length: count }, (_, i) => phaseMsOf(i)).toSorted((a, b) => a - b);
      const gaps = phases.map((phase, i) => (phases[i + 1] ?? phases[0]! + 20) - phase);
      expect(Math.max(...gaps)).toBeLessThan((20 / count) * 2.62);
    }
  });

  it('begin at the next slot, never in the past', () => {
    expect(slotAtMs(1000, 0)).toBe(1000);
    expect(slotAtMs(1000.5, 0)).toBe(1020);
    expect(slotAtMs(1000, 7)).toBe(1007);
    expect(slotAtMs(1008, 7)).toBe(1027);
  });
});

describe('a schedule', () => {
  it('does not add late timers up', () => {
    const schedule = new Schedule(1000);
    for (let i = 0; i < 3000; i++) schedule.advance();
    expect(schedule.nextAtMs).toBe(1000 + 3000 * 20);
  });

  it('runs fast or slow by its drift', () => {
    const [fast, slow] = [new Schedule(0, 100), new Schedule(0, -100)];
    for (let i = 0; i < 50 * 60; i++) {
      fast.advance();
      slow.advance();
    }
    expect(fast.nextAtMs).toBeCloseTo(60_000 - 6, 1);
    expect(slow.nextAtMs).toBeCloseTo(60_000 + 6, 1);
  });

  it('catches up a second, and forgives the rest', () => {
    const schedule = new Schedule(0);
    schedule.forgive(1_000);
    expect(schedule.nextAtMs).toBe(0);
    schedule.forgive(61_000);
    expect(schedule.nextAtMs).toBe(60_000);
    expect(schedule.stats.forgivenMs).toBe(60_000);
    schedule.advance();
    expect(schedule.nextAtMs).toBe(60_020);
  });
});
