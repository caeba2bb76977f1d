import { describe, expect, it } from 'vitest';
import { array, assert, integer, property } from 'fast-check';
import { newApiKey } from '../../../src/api/api-key.ts';
import { FailureGuard, RateLimits } from '../../../src/api/door/rate-limits.ts';
import { BoundedMap, TokenBucket } from '../../../src/api/door/token-bucket.ts';
import { FakeClock } from '../../fakes/clock.ts';

const MINUTE_MS = 60_000;

function setUp() {
  const clock = new FakeClock();
  const limits = new RateLimits(clock);
  const key = (workspaceId = 'ws_default') => newApiKey({ workspaceId, name: 'k' }, clock).key;
  /** How many of `count` requests pass, made at a steady pace over the time. */
  const passed = (count: number, overMs: number, one = key()) => {
    let served = 0;
    for (let i = 0; i < count; i++) {
      if (limits.take(one) === 0) served++;
      clock.advance(overMs / count);
    }
    return served;
  };
  return { clock, limits, key, passed };
}

describe('the limits of a key', () => {
  it('serve 60 a minute for hours', () => {
    const { passed } = setUp();
    expect(passed(3 * 60 * 60, 3 * 60 * MINUTE_MS)).toBe(3 * 60 * 60);
  });

  it('serve 120 a minute until the burst of an hour is used up, then 60', () => {
    const { passed, key } = setUp();
    const one = key();
    expect(passed(120 * 10, 10 * MINUTE_MS, one)).toBe(1_200);
    passed(120 * 40, 40 * MINUTE_MS, one);
    // What an hour gives back, 1000 / 60, still comes on top.
    expect(passed(120, MINUTE_MS, one)).toBeLessThanOrEqual(60 + 17);
  });

  it('count each key for itself', () => {
    const { passed, key } = setUp();
    expect(passed(121, 0)).toBe(120);
    expect(passed(120, 0, key())).toBe(120);
  });
});

describe('the ceiling of a workspace', () => {
  it('holds for all its keys together: 1200 a minute for 30 seconds, then 600', () => {
    const { clock, limits, key } = setUp();
    const keys = Array.from({ length: 20 }, () => key('ws_1'));
    const served = (overMs: number, perMinute: number) => {
      let count = 0;
      const requests = (overMs / MINUTE_MS) * perMinute;
      for (let i = 0; i < requests; i++) {
        if (limits.take(keys[i % keys.length]!) === 0) count++;
        clock.advance(overMs / requests);
      }
      return count;
    };
    // The last of the 600 comes when half a token is left.
    expect(served(30_000, 1_200)).toBe(599);
    const afterwards = served(MINUTE_MS, 1_200);
    expect(afterwards).toBeGreaterThanOrEqual(598);
    expect(afterwards).toBeLessThanOrEqual(602);
    expect(limits.stats.refusedByWorkspace).toBeGreaterThan(0);
  });

  it('of one workspace leaves the others alone', () => {
    const { limits, key } = setUp();
    for (let i = 0; i < 400; i++) limits.take(key('ws_1'));
    expect(limits.take(key('ws_1'))).toBeGreaterThan(0);
    expect(limits.take(key('ws_2'))).toBe(0);
  });
});

describe('a token bucket', () => {
  it('serves whoever waits as long as it was told, and never more than it holds', () => {
    assert(
      property(
        integer({ min: 1, max: 100 }),
        integer({ min: 1, max: 6_000 }),
        array(integer({ min: 0, max: 5_000 }), { maxLength: 50 }),
        (capacity, perMinute, pausesMs) => {
          let nowMs = 0;
          const bucket = new TokenBucket(capacity, perMinute / MINUTE_MS, nowMs);
          for (const pauseMs of pausesMs) {
            nowMs += pauseMs;
            expect(bucket.available(nowMs)).toBeLessThanOrEqual(capacity);
            if (bucket.take(nowMs)) continue;
            nowMs += bucket.waitMs(nowMs);
            expect(bucket.take(nowMs)).toBe(true);
          }
        },
      ),
    );
  });
});

describe('a bounded map', () => {
  it('forgets the longest unused, and counts it', () => {
    const map = new BoundedMap<number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.get('a');
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c'), map.stats.forgotten]).toEqual([1, undefined, 3, 1]);
  });
});

describe('the guard against guessing', () => {
  it('lets an address try again as time passes', () => {
    const clock = new FakeClock();
    const guard = new FailureGuard(clock);
    for (let i = 0; i < 20; i++) guard.failed('203.0.113.7');
    expect(guard.waitMs('203.0.113.7')).toBe(3_000);
    expect(guard.waitMs('203.0.113.8')).toBe(0);
    clock.advance(3_000);
    expect(guard.waitMs('203.0.113.7')).toBe(0);
  });
});
