import { expect, it } from 'vitest';
import { spliceInto } from '../../../src/media/stretch/splice.ts';
import { noise, rms } from '../conceal/sounds.ts';

it('what is alike stays as it is, to the bit', () => {
  const ramp = Int16Array.from({ length: 40 }, (_, i) => 100 * (i % 20));
  const target = new Int16Array(20);
  spliceInto(ramp, { outAt: 0, inAt: 20, samples: 20 }, target, 0);
  expect(target).toEqual(ramp.subarray(0, 20));
});

it('what is not alike keeps its power all the way', () => {
  const squares = new Float64Array(100);
  for (let seed = 1; seed <= 400; seed++) {
    const target = new Int16Array(100);
    spliceInto(noise(200, 3000, seed), { outAt: 0, inAt: 100, samples: 100 }, target, 0);
    for (let i = 0; i < 100; i++) squares[i]! += target[i]! ** 2 / 400;
  }
  for (let part = 0; part < 100; part += 20) {
    const power = squares.subarray(part, part + 20).reduce((sum, square) => sum + square / 20, 0);
    expect(Math.abs(10 * Math.log10(power / (3000 ** 2 / 3)))).toBeLessThan(0.6);
  }
});

it('goes from one passage to the other, and writes nowhere else', () => {
  const source = new Int16Array(40).fill(1000, 0, 20).fill(-1000, 20);
  const target = new Int16Array(30).fill(7);
  spliceInto(source, { outAt: 0, inAt: 20, samples: 20 }, target, 5);
  expect(target[5]).toBeGreaterThan(900);
  expect(target[24]).toBeLessThan(-900);
  expect(rms(target.subarray(0, 5))).toBe(7);
  expect(rms(target.subarray(25))).toBe(7);
});

it('silence goes into silence', () => {
  const target = new Int16Array(10).fill(3);
  spliceInto(new Int16Array(20), { outAt: 0, inAt: 10, samples: 10 }, target, 0);
  expect(target.every((sample) => sample === 0)).toBe(true);
});
