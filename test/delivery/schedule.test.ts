import { describe, expect, it } from 'vitest';
import {
  longestWaitMs,
  nextDelayMs,
  parseRetryAfter,
  pauseMsOf,
  RETRY_POLICIES,
  retryDelaysMsOf,
} from '../../src/delivery/schedule.ts';
import { FakeClock } from '../fakes/clock.ts';

const HOUR_MS = 3_600_000;
const DAY = RETRY_POLICIES['24h']!;

describe('a retry policy', () => {
  it('of 24 hours makes eleven attempts, the last after 23 h 42 min', () => {
    expect(DAY).toHaveLength(10);
    expect(DAY.reduce((sum, delayMs) => sum + delayMs, 0)).toBe(23 * HOUR_MS + 42 * 60_000 + 35_000);
  });

  it('is found by its name, or made of an own list in seconds', () => {
    expect(retryDelaysMsOf('30m')).toEqual([60_000, 120_000, 240_000, 480_000, 960_000]);
    expect(retryDelaysMsOf([0.5, 3])).toEqual([500, 3_000]);
    expect(retryDelaysMsOf([])).toEqual([]);
  });

  it.each([['never'], ['toString'], [[0]], [[-1]], [[Number.NaN]], [[90_000]], [Array(51).fill(1)]])(
    'is not made of %j',
    (policy) => {
      expect(retryDelaysMsOf(policy)).toBeUndefined();
    },
  );
});

describe('the next delay', () => {
  it('is within a fifth of the schedule, and uses the whole of that room', () => {
    const clock = new FakeClock({ seed: 3 });
    const delays = Array.from({ length: 500 }, () => nextDelayMs(DAY, 1, 0, clock) ?? 0);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(4_000);
    expect(Math.min(...delays)).toBeLessThan(4_100);
    expect(Math.max(...delays)).toBeLessThanOrEqual(6_000);
    expect(Math.max(...delays)).toBeGreaterThan(5_900);
  });

  it('is none after the last attempt', () => {
    const clock = new FakeClock();
    expect(nextDelayMs(DAY, 10, 0, clock)).not.toBeNull();
    expect(nextDelayMs(DAY, 11, 0, clock)).toBeNull();
    expect(nextDelayMs([], 1, 0, clock)).toBeNull();
  });

  it('is cut to the day an event has, and none after it', () => {
    const clock = new FakeClock();
    expect(nextDelayMs(DAY, 10, 23 * HOUR_MS, clock)).toBe(HOUR_MS);
    expect(nextDelayMs(DAY, 1, 24 * HOUR_MS, clock)).toBeNull();
  });
});

describe('a Retry-After', () => {
  const now = Date.UTC(2026, 10, 20, 12);
  it.each([
    ['120', 120_000],
    [' 7 ', 7_000],
    ['120.1', 121_000],
    ['0', 0],
    ['Fri, 20 Nov 2026 12:00:30 GMT', 30_000],
    ['Fri, 20 Nov 2026 11:00:00 GMT', 0],
    ['-5', undefined],
    ['invalid', undefined],
    ['', undefined],
    [undefined, undefined],
    ['1e9', undefined],
    ['0x10', undefined],
    ['99999999999999', undefined],
    ['2026-11-20', undefined],
    ['Fri, 99 Nov 2026 12:00:30 GMT', undefined],
  ])('%j asks for %j ms', (value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected);
  });

  it('pauses for the first delay at least and a quarter of an hour at most', () => {
    expect(pauseMsOf(0, DAY)).toBe(5_000);
    expect(pauseMsOf(60_000, DAY)).toBe(60_000);
    expect(pauseMsOf(5 * HOUR_MS, DAY)).toBe(900_000);
    expect(pauseMsOf(1_000, [HOUR_MS])).toBe(900_000);
    expect(pauseMsOf(0, [])).toBe(5_000);
  });
});

it('no wait is longer than the longest of its schedule', () => {
  expect(longestWaitMs(DAY)).toBe(8 * HOUR_MS * 1.2);
  expect(longestWaitMs([])).toBe(900_000 * 1.2);
});
