import { describe, expect, it } from 'vitest';
import { NoiseFloor } from '../../../../src/media/voice/own/noise-floor.ts';

function hear(floor: NoiseFloor, level: number, hops: number): void {
  for (let hop = 0; hop < hops; hop++) floor.hear(Float32Array.of(level));
}

describe('a noise floor', () => {
  it('begins at the first level it hears', () => {
    const floor = new NoiseFloor(2);
    floor.hear(Float32Array.of(10, 20));
    expect([...floor.floors]).toEqual([10, 20]);
  });

  it('falls at once', () => {
    const floor = new NoiseFloor(1);
    hear(floor, 20, 100);
    hear(floor, 10, 20);
    expect(floor.floors[0]).toBeCloseTo(10, 1);
  });

  it('stays under a word and under its pauses', () => {
    const floor = new NoiseFloor(1);
    hear(floor, 10, 200);
    for (let word = 0; word < 20; word++) {
      hear(floor, 20, 150);
      expect(floor.floors[0]).toBeLessThan(10.1);
      hear(floor, 10, 20);
    }
  });

  it('follows a louder noise within two and a half seconds', () => {
    const floor = new NoiseFloor(1);
    hear(floor, 10, 300);
    hear(floor, 20, 250);
    expect(floor.floors[0]).toBeCloseTo(20, 1);
  });
});
