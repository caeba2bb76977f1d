import { describe, expect, it } from 'vitest';
import { SingleToneMeter } from '../../../../src/media/tones/single/single-tone-meter.ts';
import { noise, sine, vowel } from '../../conceal/sounds.ts';

const HOP = 160;

function measured(sound: Int16Array): SingleToneMeter {
  const meter = new SingleToneMeter(HOP);
  for (let at = 0; at + HOP <= sound.length; at += HOP)
    meter.hear(Float32Array.from(sound.subarray(at, at + HOP)));
  return meter;
}

function sum(...sounds: readonly Int16Array[]): Int16Array {
  return sounds[0]!.map((_, i) => sounds.reduce((total, sound) => total + sound[i]!, 0));
}

describe('SingleToneMeter', () => {
  it.each([400, 425, 1000, 1100, 1999, 2100, 2500])('knows a sine of %i Hz', (hz) => {
    const { noiseRatio, frequencyHz, power } = measured(sine(8000, hz, 800));
    expect(noiseRatio).toBeLessThan(0.001);
    expect(Math.abs(frequencyHz - hz)).toBeLessThan(2);
    expect(power / (8000 ** 2 / 2)).toBeCloseTo(1, 1);
  });

  it.each([440, 1100, 2100])(
    'says how much noise there is beside a sine of %i Hz, and is not misled',
    (hz) => {
      // The noise is even between −a and a: its power is a third of a².
      const amplitude = Math.sqrt(3 * (8000 ** 2 / 2) * 0.02);
      const { noiseRatio, frequencyHz } = measured(sum(sine(8000, hz, 800), noise(800, amplitude)));
      expect(noiseRatio).toBeGreaterThan(0.01);
      expect(noiseRatio).toBeLessThan(0.04);
      expect(Math.abs(frequencyHz - hz)).toBeLessThan(hz / 40);
    },
  );

  it('takes no key for one sine', () => {
    for (const low of [697, 770, 852, 941]) {
      for (const high of [1209, 1336, 1477, 1633]) {
        expect(measured(sum(sine(8000, low, 800), sine(8000, high, 800))).noiseRatio).toBeGreaterThan(0.08);
      }
    }
  });

  it('takes neither a voice nor noise nor silence for a sine', () => {
    expect(measured(vowel(8000, 180, 800)).noiseRatio).toBeGreaterThan(0.1);
    expect(measured(noise(800, 8000)).noiseRatio).toBeGreaterThan(0.5);
    expect(measured(new Int16Array(800)).noiseRatio).toBe(1);
  });
});
