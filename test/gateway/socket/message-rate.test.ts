import { describe, expect, it } from 'vitest';
import { MessageRate } from '../../../src/gateway/socket/message-rate.ts';

function takenAt(rate: MessageRate, nowMs: number, wanted: number): number {
  let taken = 0;
  for (let i = 0; i < wanted; i++) if (rate.take(nowMs)) taken++;
  return taken;
}

describe('MessageRate', () => {
  it('lets a burst through at once, and not one message more', () => {
    expect(takenAt(new MessageRate(100, 500, 0), 0, 1_000)).toBe(500);
  });

  it('lets its rate through for ever', () => {
    const rate = new MessageRate(100, 5, 0);
    let refused = 0;
    for (let nowMs = 10; nowMs <= 600_000; nowMs += 10) if (!rate.take(nowMs)) refused++;
    expect(refused).toBe(0);
  });

  it('refuses what is faster once the burst is spent', () => {
    const rate = new MessageRate(100, 500, 0);
    let taken = 0;
    for (let i = 0; i < 20_000; i++) if (rate.take(i / 10)) taken++;
    expect(taken).toBeGreaterThanOrEqual(699);
    expect(taken).toBeLessThanOrEqual(701);
  });

  it('saves up no more than its burst', () => {
    const rate = new MessageRate(100, 500, 0);
    expect(takenAt(rate, 3_600_000, 1_000)).toBe(500);
  });
});
