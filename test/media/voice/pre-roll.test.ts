import { describe, expect, it } from 'vitest';
import { PreRoll } from '../../../src/media/voice/pre-roll.ts';

function drained(preRoll: PreRoll): number[] {
  const values: number[] = [];
  const frame = new Int16Array(160);
  while (preRoll.takeInto(frame)) values.push(frame[0]!);
  return values;
}

describe('a pre-roll', () => {
  it('hands out the last frames, oldest first, and forgets them', () => {
    const preRoll = new PreRoll(8000, { startMs: 40 });
    for (let value = 1; value <= 100; value++) preRoll.hold(new Int16Array(160).fill(value));
    const values = drained(preRoll);
    expect(values.at(-1)).toBe(100);
    expect(values).toEqual(Array.from({ length: values.length }, (_, i) => 101 - values.length + i));
    expect(drained(preRoll)).toEqual([]);
  });

  it.each([20, 40, 130])('reaches 300 ms before an onset that took %d ms to confirm', (startMs) => {
    const preRoll = new PreRoll(16_000, { startMs });
    for (let value = 1; value <= 100; value++) preRoll.hold(new Int16Array(320).fill(value));
    // It may have been traced back by 30 ms.
    // The onset may lie 10 ms into its frame, so up to 10 ms of the confirming frame come after the run.
    expect(preRoll.depthMs).toBeGreaterThanOrEqual(300 + 30 + startMs + 10);
    expect(preRoll.depthMs).toBeLessThanOrEqual(300 + 30 + startMs + 40);
  });

  it('hands out what there is when the line is younger than that', () => {
    const preRoll = new PreRoll(8000, { startMs: 40 });
    preRoll.hold(new Int16Array(160).fill(1));
    expect(drained(preRoll)).toEqual([1]);
    preRoll.hold(new Int16Array(160).fill(2));
    preRoll.clear();
    expect(drained(preRoll)).toEqual([]);
  });
});
