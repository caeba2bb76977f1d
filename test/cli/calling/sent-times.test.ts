import { describe, expect, it } from 'vitest';
import { SentTimes } from '../../../src/cli/calling/sent-times.ts';

describe('sent times', () => {
  it('know when each frame was sent, and of media time in which frame it is', () => {
    const sent = new SentTimes();
    for (let i = 0; i < 10; i++) sent.note(i, 1000 + i);
    expect(sent.of(7)).toBe(1007);
    expect(sent.ofMediaMs(159)).toBe(1007);
    expect(sent.ofMediaMs(160)).toBe(1008);
    expect([sent.of(-1), sent.of(10), sent.ofMediaMs(-20)]).toEqual([undefined, undefined, undefined]);
  });

  it('have holes where frames were lost, filled by those that come late', () => {
    const sent = new SentTimes();
    for (let i = 0; i < 1024; i++) sent.note(i, i);
    sent.note(1024 + 3, 5000);
    expect([1024, 1025, 1026, 1027].map((index) => sent.of(index))).toEqual([
      undefined,
      undefined,
      undefined,
      5000,
    ]);
    sent.note(1025, 5010);
    expect(sent.of(1025)).toBe(5010);
    expect(sent.frames).toBe(1028);
  });

  it('forget the oldest', () => {
    const sent = new SentTimes();
    for (let i = 0; i < 5000; i++) sent.note(i, i);
    expect(sent.of(5000 - 1025)).toBeUndefined();
    expect(sent.of(5000 - 1024)).toBe(3976);
  });
});
