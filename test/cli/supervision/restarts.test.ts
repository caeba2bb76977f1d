import { describe, expect, it } from 'vitest';
import { afterDeath, NO_RESTARTS } from '../../../src/cli/supervision/restarts.ts';
import { SignalCount } from '../../../src/cli/supervision/signals.ts';

describe('a child that dies', () => {
  it('is replaced at once, and ever later while it keeps dying young', () => {
    const delays: number[] = [];
    let restarts = NO_RESTARTS;
    for (let death = 0; death < 8; death++) {
      const next = afterDeath(restarts, 500);
      restarts = next.restarts;
      delays.push(next.delayMs);
    }
    expect(delays).toEqual([0, 100, 200, 400, 800, 1600, 2000, 2000]);
  });

  it('after a long life is replaced at once again', () => {
    const young = afterDeath(afterDeath(NO_RESTARTS, 10).restarts, 10);
    expect(young.delayMs).toBe(100);
    expect(afterDeath(young.restarts, 10_000)).toEqual({ restarts: NO_RESTARTS, delayMs: 0 });
  });
});

describe('signals', () => {
  it('drain, then stop, then kill', () => {
    const signals = new SignalCount();
    expect([0, 1000, 2000, 3000].map((nowMs) => signals.next(nowMs))).toEqual([
      'drain',
      'stop',
      'kill',
      'kill',
    ]);
  });

  it('that npm passes on a second time count once', () => {
    const signals = new SignalCount();
    expect([0, 5, 299, 300].map((nowMs) => signals.next(nowMs))).toEqual([
      'drain',
      undefined,
      undefined,
      'stop',
    ]);
  });
});
