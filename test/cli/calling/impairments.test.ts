import { describe, expect, it } from 'vitest';
import { seededDice } from '../../../src/base/clock.ts';
import { Impairments, type ImpairmentWish } from '../../../src/cli/calling/impairments.ts';

const GOOD: ImpairmentWish = { lossPercent: 0, jitterMs: 0, reorderPercent: 0, driftPpm: 0 };
const FRAMES = 5_000;

function departures(wish: Partial<ImpairmentWish>, seed = 1) {
  const line = new Impairments({ ...GOOD, ...wish }, seededDice(seed));
  const atMs = Array.from({ length: FRAMES }, (_, i) => line.departureAtMs(i * 20));
  return { atMs, stats: line.stats };
}

describe('a bad network', () => {
  it('is a good one where nothing is wished for', () => {
    expect(departures({}).atMs).toEqual(Array.from({ length: FRAMES }, (_, i) => i * 20));
  });

  it('loses as many frames as it was told to', () => {
    const { atMs, stats } = departures({ lossPercent: 5 });
    const lost = atMs.filter((at) => at === undefined).length;
    expect(lost).toBe(stats.lostFrames);
    expect(lost / FRAMES).toBeCloseTo(0.05, 1);
    expect(departures({ lossPercent: 100 }).stats.lostFrames).toBe(FRAMES);
  });

  it('delays within its jitter and keeps the order', () => {
    const atMs = departures({ jitterMs: 60 }).atMs.map((at) => at!);
    expect(atMs.every((at, i) => at >= i * 20 && at < i * 20 + 60)).toBe(true);
    expect(atMs.every((at, i) => i === 0 || at >= atMs[i - 1]!)).toBe(true);
    expect(Math.max(...atMs.map((at, i) => at - i * 20))).toBeGreaterThan(50);
  });

  it.each([0, 40])('sends a reordered frame behind the next, with %i ms of jitter', (jitterMs) => {
    const { atMs, stats } = departures({ reorderPercent: 3, jitterMs });
    const overtaken = atMs.filter((at, i) => i + 1 < FRAMES && at! > atMs[i + 1]!).length;
    expect(stats.reorderedFrames / FRAMES).toBeCloseTo(0.03, 1);
    expect(overtaken).toBeGreaterThan(stats.reorderedFrames * 0.9);
  });

  it('is bad in the same way for the same seed, and loses the same frames whatever else is wished', () => {
    const wish = { lossPercent: 5, jitterMs: 30 };
    expect(departures(wish, 7).atMs).toEqual(departures(wish, 7).atMs);
    expect(departures(wish, 7).atMs).not.toEqual(departures(wish, 8).atMs);
    const lost = (wish: Partial<ImpairmentWish>) => departures(wish, 7).atMs.map((at) => at === undefined);
    expect(lost({ lossPercent: 5 })).toEqual(lost({ ...wish, reorderPercent: 10 }));
  });
});
