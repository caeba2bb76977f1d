import { describe, expect, it } from 'vitest';
import { Pitch } from '../../../../src/media/voice/own/pitch.ts';
import { Dice } from '../../../../native-bench/vad/dice.ts';

function heard(sampleAt: (i: number) => number, hops = 30): Pitch {
  const pitch = new Pitch(80);
  const hop = new Float32Array(80);
  for (let h = 0; h < hops; h++) pitch.hear(hop.map((_, i) => sampleAt(h * 80 + i)));
  return pitch;
}

describe('the pitch', () => {
  it.each([
    [80, 25],
    [100, 20],
    [200, 10],
    [250, 8],
  ])('of pulses at %d Hz is found at a lag of %d samples', (hz, lag) => {
    const pitch = heard((i) => (i % (8000 / hz) < 4 ? 8000 : 0));
    expect(pitch.periodicity).toBeGreaterThan(0.7);
    // A whole number of periods fits as well as one.
    expect(pitch.lag % lag).toBe(0);
  });

  it('is not there in noise and in silence', () => {
    const dice = new Dice(3);
    const values: number[] = [];
    for (let round = 0; round < 20; round++) values.push(heard(() => 3000 * dice.gauss()).periodicity);
    expect(values.reduce((sum, value) => sum + value) / values.length).toBeLessThan(0.45);
    expect(heard(() => 0).periodicity).toBe(0);
  });
});
