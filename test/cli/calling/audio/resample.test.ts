import { describe, expect, it } from 'vitest';
import { resample } from '../../../../src/cli/calling/audio/resample.ts';

function tone(frequencyHz: number, sampleRateHz: number, seconds = 0.5, level = 10_000): Int16Array {
  return Int16Array.from({ length: sampleRateHz * seconds }, (_, i) =>
    Math.round(level * Math.sin((2 * Math.PI * frequencyHz * i) / sampleRateHz)),
  );
}

/** Without the ends, where the kernel looks beyond the sound. */
function middleOf(samples: Int16Array): Int16Array {
  return samples.subarray(samples.length / 4, (samples.length * 3) / 4);
}

function rms(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

describe('a sound at another rate', () => {
  it.each([
    [16_000, 8_000],
    [8_000, 16_000],
    [44_100, 8_000],
    [48_000, 16_000],
    [22_050, 16_000],
  ])('is the same sound: %i to %i Hz', (fromHz, toHz) => {
    const expected = tone(1_000, toHz);
    const resampled = resample(tone(1_000, fromHz), fromHz, toHz);
    expect(Math.abs(resampled.length - expected.length)).toBeLessThanOrEqual(1);
    const error = middleOf(resampled).map((sample, i) => sample - middleOf(expected)[i]!);
    expect(rms(error) / rms(middleOf(expected))).toBeLessThan(0.002);
  });

  it('holds nothing of what the new rate cannot carry', () => {
    const resampled = resample(tone(6_000, 16_000), 16_000, 8_000);
    expect(rms(middleOf(resampled))).toBeLessThan(10);
  });

  it('is itself where the rate is the same', () => {
    const samples = tone(440, 8_000);
    expect(resample(samples, 8_000, 8_000)).toBe(samples);
  });

  it('is clipped, not wrapped, where it overshoots', () => {
    const square = Int16Array.from({ length: 4_000 }, (_, i) => (i % 40 < 20 ? 32_767 : -32_768));
    const resampled = resample(square, 8_000, 16_000);
    const jumps = [...resampled].filter(
      (sample, i) => i > 0 && Math.abs(sample - resampled[i - 1]!) > 50_000,
    );
    expect(jumps).toEqual([]);
  });
});
