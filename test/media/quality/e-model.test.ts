import { describe, expect, it } from 'vitest';
import { impairmentOf } from '../../../src/media/quality/codec-impairments.ts';
import { burstRatioOf, mosOf, rFactorOf, type Transmission } from '../../../src/media/quality/e-model.ts';

describe('R', () => {
  it('is 93.2 for a line without delay and loss', () => {
    expect(rated({})).toBeCloseTo(93.2, 9);
  });

  it('falls slowly with delay up to 177.3 ms, and fast beyond', () => {
    expect(rated({ delayMs: 100 })).toBeCloseTo(93.2 - 2.4, 9);
    expect(rated({ delayMs: 177.3 })).toBeCloseTo(93.2 - 0.024 * 177.3, 9);
    expect(rated({ delayMs: 277.3 })).toBeCloseTo(93.2 - 0.024 * 277.3 - 11, 9);
  });

  it('falls by 95 · 5 / 30.1 at 5 % of random loss with concealment', () => {
    expect(rated({ lossRatio: 0.05 })).toBeCloseTo(93.2 - (95 * 5) / 30.1, 9);
  });

  it('counts the same loss for more when it comes in bursts', () => {
    expect(rated({ lossRatio: 0.05, burstRatio: 2 })).toBeCloseTo(93.2 - (95 * 5) / 27.6, 9);
  });

  it('takes a codec for what it is', () => {
    const codec = { coding: 11, lossRobustness: 19 };
    expect(rated({ codec })).toBeCloseTo(82.2, 9);
    expect(rated({ codec, lossRatio: 0.02 })).toBeCloseTo(82.2 - (84 * 2) / 21, 9);
  });

  it('never leaves 0 to 93.2, and never rises with loss, bursts or delay', () => {
    let beforeDelay = Infinity;
    for (let delayMs = 0; delayMs <= 2000; delayMs += 50) {
      let beforeLoss = Infinity;
      for (let lossRatio = 0; lossRatio <= 1; lossRatio += 0.05) {
        const r = rated({ delayMs, lossRatio });
        expect(r).toBeGreaterThanOrEqual(0);
        expect(r).toBeLessThanOrEqual(93.2);
        expect(r).toBeLessThanOrEqual(beforeLoss);
        expect(rated({ delayMs, lossRatio, burstRatio: 3 })).toBeLessThanOrEqual(r);
        beforeLoss = r;
      }
      expect(rated({ delayMs })).toBeLessThanOrEqual(beforeDelay);
      beforeDelay = rated({ delayMs });
    }
  });
});

describe('a mean opinion score', () => {
  // The limits of the categories of ITU-T G.109, which are rounded up.
  it.each([
    [90, 4.34],
    [80, 4.03],
    [70, 3.6],
    [60, 3.1],
    [50, 2.58],
  ])('of R = %i is %d', (rFactor, mos) => {
    expect(Math.abs(mosOf(rFactor) - mos)).toBeLessThan(0.01);
  });

  it('is 1 at worst and 4.5 at best, and rises with R', () => {
    expect(mosOf(0)).toBe(1);
    expect(mosOf(-5)).toBe(1);
    expect(mosOf(100)).toBe(4.5);
    expect(mosOf(120)).toBe(4.5);
    for (let r = 1; r <= 100; r++) expect(mosOf(r)).toBeGreaterThanOrEqual(mosOf(r - 1));
  });
});

describe('a burst ratio', () => {
  it('is 1 where losses last as long as chance has it', () => {
    // At 20 % random loss a run of losses is 1 / 0.8 frames long.
    expect(burstRatioOf(0.2, 1.25)).toBeCloseTo(1, 9);
  });

  it('is the length of the runs against that', () => {
    expect(burstRatioOf(0.1, 5)).toBeCloseTo(4.5, 9);
  });

  it('gives no credit for losses spread evenly, nor for none or all', () => {
    expect(burstRatioOf(0.5, 1)).toBe(1);
    expect(burstRatioOf(0, 0)).toBe(1);
    expect(burstRatioOf(1, 500)).toBe(1);
  });
});

function rated(wish: Partial<Transmission>): number {
  return rFactorOf({ codec: impairmentOf('pcmu'), delayMs: 0, lossRatio: 0, burstRatio: 1, ...wish });
}
