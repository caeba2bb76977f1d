import { array, assert, constantFrom, double, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Distribution } from '../../../src/cli/calling/distribution.ts';
import { numRuns, seed } from '../../dialect/wire.ts';

function distributionOf(durationsMs: readonly number[]): Distribution {
  const distribution = new Distribution();
  for (const durationMs of durationsMs) distribution.add(durationMs);
  return distribution;
}

describe('a distribution', () => {
  it('knows nothing of nothing', () => {
    expect(new Distribution().spread()).toBeNull();
    expect(new Distribution().quantileMs(0.99)).toBe(0);
  });

  it('shows few durations as they were', () => {
    expect(distributionOf([7, 3, 5]).spread()).toEqual({ count: 3, p50: 5, p95: 7, p99: 7, p999: 7, max: 7 });
  });

  it('takes what lies before its cause for none', () => {
    expect(distributionOf([-4]).spread()).toMatchObject({ p50: 0, max: 0 });
  });

  it('is within a hundredth of the truth however many there are', () => {
    const durations = array(double({ min: 0.001, max: 1e5, noNaN: true }), {
      minLength: 300,
      maxLength: 600,
    });
    assert(
      property(durations, constantFrom(0.5, 0.95, 0.99), (durationsMs, ratio) => {
        const sorted = durationsMs.toSorted((a, b) => a - b);
        const truthMs = sorted[Math.ceil(ratio * sorted.length) - 1]!;
        const toldMs = distributionOf(durationsMs).quantileMs(ratio);
        expect(Math.abs(toldMs - truthMs)).toBeLessThanOrEqual(truthMs * 0.01 + 0.001);
      }),
      { numRuns: numRuns / 10, seed },
    );
  });

  it('is the same whether it was taken as a whole or in parts', () => {
    const durationsMs = Array.from({ length: 700 }, (_, i) => ((i * 37) % 700) / 7);
    const whole = distributionOf(durationsMs);
    for (const border of [100, 400]) {
      const merged = distributionOf(durationsMs.slice(0, border));
      merged.merge(distributionOf(durationsMs.slice(border)));
      expect(merged.spread()).toEqual(whole.spread());
    }
  });

  it('takes an hour and more', () => {
    expect(distributionOf([5e6]).spread()).toMatchObject({ max: 5e6 });
  });
});
