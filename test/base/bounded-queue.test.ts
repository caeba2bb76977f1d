import { describe, expect, it } from 'vitest';
import { BoundedQueue } from '../../src/base/bounded-queue.ts';

describe('a bounded queue', () => {
  it('gives items back in the order they came', () => {
    const queue = new BoundedQueue<number>(3);
    for (const item of [1, 2, 3]) queue.push(item);
    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual([1, 2, 3, undefined]);
  });

  it('refuses what does not fit, and counts it', () => {
    const queue = new BoundedQueue<string>(1);
    expect(queue.push('kept')).toBe(true);
    expect(queue.push('refused')).toBe(false);
    expect(queue.stats.refused).toBe(1);
    expect(queue.shift()).toBe('kept');
  });

  it('stays in order and small over many more items than it holds', () => {
    const queue = new BoundedQueue<number>(10);
    for (let i = 0; i < 5; i++) queue.push(i);
    const taken = Array.from({ length: 10_000 }, (_, i) => {
      queue.push(i + 5);
      return queue.shift();
    });
    expect(taken).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
    expect(queue.length).toBe(5);
  });
});
