import { describe, expect, it } from 'vitest';
import { FrameRing } from '../../src/media/frame-ring.ts';

function frame(value: number): Int16Array {
  return new Int16Array(4).fill(value);
}

function drain(ring: FrameRing): number[] {
  const values: number[] = [];
  const target = new Int16Array(4);
  while (ring.shiftInto(target)) values.push(target[3]!);
  return values;
}

describe('a frame ring', () => {
  it('gives frames back in the order they came', () => {
    const ring = new FrameRing(3, 4);
    for (const value of [1, 2]) ring.push(frame(value));
    expect(ring.length).toBe(2);
    expect(drain(ring)).toEqual([1, 2]);
    expect(ring.length).toBe(0);
  });

  it('overwrites its oldest when it is full, and counts them', () => {
    const ring = new FrameRing(3, 4);
    for (const value of [1, 2, 3, 4, 5]) ring.push(frame(value));
    expect(ring.length).toBe(3);
    expect(ring.stats.overwrittenFrames).toBe(2);
    expect(drain(ring)).toEqual([3, 4, 5]);
  });

  it('goes round many times', () => {
    const ring = new FrameRing(3, 4);
    for (let value = 0; value < 100; value += 2) {
      ring.push(frame(value));
      ring.push(frame(value + 1));
      expect(drain(ring)).toEqual([value, value + 1]);
    }
    expect(ring.stats.overwrittenFrames).toBe(0);
  });

  it('copies: what a caller does with its frame afterwards is not heard', () => {
    const ring = new FrameRing(2, 4);
    const mine = frame(1);
    ring.push(mine);
    mine.fill(9);
    expect(drain(ring)).toEqual([1]);
  });

  it('leaves the target alone when it is empty', () => {
    const target = frame(7);
    expect(new FrameRing(2, 4).shiftInto(target)).toBe(false);
    expect([...target]).toEqual([7, 7, 7, 7]);
  });

  it('forgets everything when cleared', () => {
    const ring = new FrameRing(2, 4);
    ring.push(frame(1));
    ring.clear();
    expect(drain(ring)).toEqual([]);
  });
});
