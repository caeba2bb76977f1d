import { describe, expect, it } from 'vitest';
import { FramePool } from '../../src/media/frame-pool.ts';

function open(framesMin: number, framesMax: number): FramePool {
  return new FramePool({ frameSamples: 160, framesMin, framesMax });
}

function takeAll(pool: FramePool): Int16Array[] {
  const taken: Int16Array[] = [];
  for (let slot = pool.take(); slot !== undefined; slot = pool.take()) taken.push(slot);
  return taken;
}

describe('a frame pool', () => {
  it('lends distinct slots of its size until none is left, and counts what it refuses', () => {
    const pool = open(3, 10);
    const taken = takeAll(pool);
    expect(new Set(taken).size).toBe(3);
    expect(taken.every((slot) => slot.length === 160)).toBe(true);
    expect(pool.stats.refusedTakes).toBe(1);
  });

  it('keeps slots apart: what is written to one is not heard in another', () => {
    const taken = takeAll(open(3, 3));
    taken.forEach((slot, index) => slot.fill(index + 1));
    expect(taken.map((slot) => [slot[0], slot[159]])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  it('lends again what was given back', () => {
    const pool = open(1, 1);
    const slot = pool.take()!;
    expect(pool.take()).toBeUndefined();
    pool.giveBack(slot);
    expect(pool.take()).toBe(slot);
  });

  it('grows on demand only, up to its limit, and counts where the limit stands before', () => {
    const pool = open(2, 5);
    const taken = takeAll(pool);
    expect(pool.reserve(2)).toBe(true);
    expect(pool.freeFrames).toBe(2);
    expect(pool.reserve(2)).toBe(true);
    expect(pool.madeFrames).toBe(4);
    expect(pool.reserve(4)).toBe(false);
    expect(pool.madeFrames).toBe(5);
    expect(pool.stats.refusedReserves).toBe(1);
    taken.push(...takeAll(pool));
    expect(new Set(taken).size).toBe(5);
    for (const slot of taken) pool.giveBack(slot);
    expect(new Set(takeAll(pool))).toEqual(new Set(taken));
  });

  it('notices a slot that comes back twice or to the wrong pool', () => {
    const pool = open(2, 2);
    const slot = pool.take()!;
    expect(() => pool.giveBack(new Int16Array(320))).toThrow(/wrong pool/);
    pool.giveBack(slot);
    expect(() => pool.giveBack(slot)).toThrow(/more frames came back/);
  });
});
