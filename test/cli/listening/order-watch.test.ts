import { describe, expect, it } from 'vitest';
import { OrderWatch } from '../../../src/cli/listening/order-watch.ts';

function openWatch(countsGaps = true) {
  const watch = new OrderWatch(countsGaps);
  const comes = (sequence: number, isAccepted = true, resourceId = 'call_1') =>
    watch.look({ id: `${resourceId}_${sequence}`, resourceId, sequence }, isAccepted);
  return { watch, comes };
}

const FINE = { attempt: 1, isDuplicate: false, isLate: false, missing: 0 };

describe('the order of deliveries', () => {
  it('is right where each call counts up on its own, from wherever it was first seen', () => {
    const { watch, comes } = openWatch();
    for (const sequence of [5, 6, 7]) {
      expect(comes(sequence)).toEqual(FINE);
      expect(comes(sequence - 4, true, 'call_2')).toEqual(FINE);
    }
    expect(watch.stats).toEqual({ deliveries: 6, events: 6, duplicates: 0, late: 0, missing: 0 });
  });

  it('knows a retry from a duplicate', () => {
    const { watch, comes } = openWatch();
    comes(1, false);
    expect(comes(1)).toEqual({ ...FINE, attempt: 2 });
    expect(comes(1)).toEqual({ ...FINE, attempt: 3, isDuplicate: true });
    expect(watch.stats).toMatchObject({ events: 1, duplicates: 1, missing: 0 });
  });

  it('misses what was jumped over until it comes', () => {
    const { watch, comes } = openWatch();
    comes(1);
    expect(comes(4)).toEqual({ ...FINE, missing: 2 });
    expect(watch.stats.missing).toBe(2);
    expect(comes(2)).toEqual({ ...FINE, isLate: true });
    expect(watch.stats).toMatchObject({ late: 1, missing: 1 });
  });

  it('misses what was refused and jumped over', () => {
    const { comes } = openWatch();
    comes(1);
    comes(2, false);
    expect(comes(3)).toEqual({ ...FINE, missing: 1 });
  });

  it('misses nothing where only some types are asked for, and still sees what is late', () => {
    const { watch, comes } = openWatch(false);
    comes(1);
    expect(comes(7)).toEqual(FINE);
    expect(comes(4)).toEqual({ ...FINE, isLate: true });
    expect(watch.stats).toMatchObject({ late: 1, missing: 0 });
  });

  it('remembers so many calls and no more', () => {
    const { comes } = openWatch();
    for (let i = 0; i <= 10_000; i++) comes(5, true, `call_${i}`);
    expect(comes(3, true, 'call_0').isLate).toBe(false);
    expect(comes(3, true, 'call_9999').isLate).toBe(true);
  });
});
