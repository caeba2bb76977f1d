import { describe, expect, it } from 'vitest';
import { deliveryLine, deliveryReport, listeningSummary } from '../../../src/cli/listening/delivery-line.ts';
import type { Received } from '../../../src/cli/listening/hook-server.ts';
import type { Fit } from '../../../src/cli/listening/order-watch.ts';
import { eventOf } from '../calling/events/events.ts';

const AT_UNIX_MS = Date.parse('2026-11-20T12:00:00.006Z');
const FIT: Fit = { attempt: 1, isDuplicate: false, isLate: false, missing: 0 };

function lineOf(received: Partial<Received> = {}, fit: Fit | undefined = FIT): string {
  const event = { ...eventOf(4, 'voice_detected') };
  const whole = {
    event,
    atUnixMs: AT_UNIX_MS,
    doubt: undefined,
    status: 200,
    isOnPurpose: false,
    ...received,
  };
  return deliveryLine(deliveryReport(whole, fit), AT_UNIX_MS);
}

describe('the line of a delivery', () => {
  it('says what came, of which call, and how soon', () => {
    expect(lineOf()).toBe('12:00:00.006  voice_detected     call_1 #4   attempt 1     6 ms');
  });

  it.each<[string, Partial<Received>, Fit]>([
    ['NOT VERIFIED (too old), answered 401', { doubt: 'too_old', status: 401 }, FIT],
    ['answered 503 on purpose', { isOnPurpose: true, status: 503 }, FIT],
    ['DUPLICATE', {}, { ...FIT, isDuplicate: true }],
    ['OUT OF ORDER', {}, { ...FIT, isLate: true }],
    ['GAP: 2 missing before it', {}, { ...FIT, missing: 2 }],
  ])('remarks %s', (remark, received, fit) => {
    expect(lineOf(received, fit)).toContain(`  ${remark}`);
  });

  it('makes do with an event that is none', () => {
    expect(lineOf({ event: {} })).toMatch(/^12:00:00\.006 {2}\? /);
  });
});

describe('the summary', () => {
  const stats = { deliveries: 5, events: 4, duplicates: 0, late: 0, missing: 0 };

  it('is good, or says what is not', () => {
    expect(listeningSummary(stats, 0)).toBe('4 events in 5 deliveries: each once, in order, verified');
    expect(listeningSummary({ ...stats, duplicates: 1, late: 2, missing: 3 }, 4)).toBe(
      '4 events in 5 deliveries: 1 twice, 2 out of order, 3 missing, 4 not verified',
    );
    expect(listeningSummary({ ...stats, deliveries: 0, events: 0 }, 0)).toBe('0 events in 0 deliveries');
  });
});
