import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { newId } from '../../src/base/ids.ts';
import { FakeClock } from '../fakes/clock.ts';

describe('an id', () => {
  it('wears its prefix and 26 characters that need no escaping', () => {
    expect(newId('call', systemClock)).toMatch(/^call_[0-9A-HJKMNP-TV-Z]{26}$/);
  });

  it('sorts by the time it was made', () => {
    const clock = new FakeClock();
    const ids = Array.from({ length: 50 }, () => {
      clock.advance(1);
      return newId('evt', clock);
    });
    expect([...ids].sort()).toEqual(ids);
  });

  it('is its own among a thousand of the same millisecond', () => {
    const clock = new FakeClock({ seed: 3 });
    expect(new Set(Array.from({ length: 1000 }, () => newId('leg', clock))).size).toBe(1000);
  });
});
