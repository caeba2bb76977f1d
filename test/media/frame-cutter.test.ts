import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameCutter, PUSHED_BYTES_MAX } from '../../src/media/frame-cutter.ts';

/** Bytes that count on from `first`, so that order and loss can be seen. */
function counting(first: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (first + i) & 0xff);
}

function cutAll(cutter: FrameCutter, run: Uint8Array): number[][] {
  const frames: number[][] = [];
  cutter.push(run, run.length);
  while (cutter.next()) frames.push([...cutter.frame]);
  return frames;
}

describe('a frame cutter', () => {
  it('hands out whole frames and keeps the rest for the next run', () => {
    const cutter = new FrameCutter(4);
    expect(cutAll(cutter, counting(0, 10))).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
    expect(cutter.waitingBytes).toBe(2);
    expect(cutAll(cutter, counting(10, 2))).toEqual([[8, 9, 10, 11]]);
    expect(cutter.waitingBytes).toBe(0);
    expect(cutter.stats).toEqual({ cutFrames: 3, droppedBytes: 0 });
  });

  it('lets an odd byte of L16 wait for its partner', () => {
    const cutter = new FrameCutter(320);
    expect(cutAll(cutter, counting(0, 321))).toEqual([[...counting(0, 320)]]);
    expect(cutter.waitingBytes).toBe(1);
    expect(cutAll(cutter, counting(321, 319))).toEqual([[...counting(320, 320)]]);
  });

  it('takes the first bytes of a buffer that is longer than the run', () => {
    const cutter = new FrameCutter(2);
    cutter.push(counting(0, 100), 3);
    expect(cutter.next()).toBe(true);
    expect(cutter.next()).toBe(false);
    expect(cutter.waitingBytes).toBe(1);
  });

  it('takes nothing from an empty run', () => {
    const cutter = new FrameCutter(4);
    cutAll(cutter, counting(0, 3));
    expect(cutAll(cutter, counting(0, 0))).toEqual([]);
    expect(cutter.waitingBytes).toBe(3);
  });

  it('drops the oldest whole frames of a run beyond the limit, and counts the bytes', () => {
    const cutter = new FrameCutter(160);
    const frames = cutAll(cutter, counting(0, PUSHED_BYTES_MAX + 1));
    expect(cutter.stats.droppedBytes).toBe(160);
    expect(frames[0]).toEqual([...counting(160, 160)]);
    expect(frames.length).toBe(Math.floor((PUSHED_BYTES_MAX + 1) / 160) - 1);
  });

  it('forgets and counts its remainder at a new stream', () => {
    const cutter = new FrameCutter(4);
    cutAll(cutter, counting(0, 3));
    cutter.reset();
    expect(cutter.stats.droppedBytes).toBe(3);
    expect(cutAll(cutter, counting(50, 4))).toEqual([[50, 51, 52, 53]]);
  });

  it('refuses a second run before the first is cut', () => {
    const cutter = new FrameCutter(4);
    cutter.push(counting(0, 8), 8);
    expect(() => cutter.push(counting(8, 8), 8)).toThrow(/before the one before/);
  });

  it('refuses a codec of varying packets', () => {
    expect(() => new FrameCutter(0)).toThrow(/constant size/);
  });

  it('gives back every byte in order, however the runs are cut', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 20 }),
        (frameBytes, runs) => {
          const cutter = new FrameCutter(frameBytes);
          let sent = 0;
          const heard: number[] = [];
          for (const count of runs) {
            heard.push(...cutAll(cutter, counting(sent, count)).flat());
            sent += count;
          }
          expect(heard).toEqual([...counting(0, sent - (sent % frameBytes))]);
          expect(cutter.waitingBytes).toBe(sent % frameBytes);
        },
      ),
    );
  });
});
