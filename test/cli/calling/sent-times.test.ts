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
    for (let i = 0; i < 4096; i++) sent.note(i, i);
    sent.note(4096 + 3, 5000);
    expect([4096, 4097, 4098, 4099].map((index) => sent.of(index))).toEqual([
      undefined,
      undefined,
      undefined,
      5000,
    ]);
    sent.note(4097, 5010);
    expect(sent.of(4097)).toBe(5010);
    expect(sent.frames).toBe(4100);
  });

  it('forget the oldest', () => {
    const sent = new SentTimes();
    for (let i = 0; i < 5000; i++) sent.note(i, i);
    expect(sent.of(5000 - 4097)).toBeUndefined();
    expect(sent.of(5000 - 4096)).toBe(904);
  });
});
