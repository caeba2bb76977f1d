import { describe, expect, it } from 'vitest';
import { powerInto, SPECTRUM_SAMPLES } from '../../../../src/media/voice/own/spectrum.ts';

function powersOf(samples: Float32Array): Float32Array {
  const power = new Float32Array(SPECTRUM_SAMPLES / 2 + 1);
  powerInto(samples, power);
  return power;
}

describe('the spectrum', () => {
  it('is the plain Fourier sum of the windowed samples', () => {
    const samples = Float32Array.from({ length: SPECTRUM_SAMPLES }, (_, i) => ((i * 7919) % 257) - 128);
    const power = powersOf(samples);
    for (let bin = 0; bin <= SPECTRUM_SAMPLES / 2; bin++) {
      let [re, im] = [0, 0];
      samples.forEach((sample, i) => {
        const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / SPECTRUM_SAMPLES);
        re += sample * window * Math.cos((2 * Math.PI * bin * i) / SPECTRUM_SAMPLES);
        im -= sample * window * Math.sin((2 * Math.PI * bin * i) / SPECTRUM_SAMPLES);
      });
      const expected = re * re + im * im;
      expect(Math.abs(power[bin]! - expected)).toBeLessThan(1e-3 * expected + 1);
    }
  });

  it.each([0, 5, 31, 64])('has the power of a wave in its bin %d', (bin) => {
    const wave = Float32Array.from({ length: SPECTRUM_SAMPLES }, (_, i) =>
      Math.cos((2 * Math.PI * bin * i) / SPECTRUM_SAMPLES),
    );
    const power = powersOf(wave);
    expect(power.indexOf(Math.max(...power))).toBe(bin);
  });
});
