import { describe, expect, it } from 'vitest';
import { HalfBand } from '../../../../src/media/voice/own/half-band.ts';

/** Power of a full-scale wave after and above the filter, against before, in dB. */
function gainsDb(hz: number): { low: number; high: number } {
  const half = new HalfBand(160);
  const out = new Float32Array(80);
  let [low, high] = [0, 0];
  for (let hop = 0; hop < 50; hop++) {
    const wave = Int16Array.from({ length: 160 }, (_, i) =>
      Math.round(10_000 * Math.sin((2 * Math.PI * hz * (hop * 160 + i)) / 16_000)),
    );
    half.halveInto(wave, out);
    if (hop === 0) continue;
    low += out.reduce((sum, sample) => sum + sample * sample, 0) / 80;
    high += half.highPower;
  }
  const db = (power: number): number => 10 * Math.log10(power / 49 / 5e7);
  return { low: db(low), high: db(high) };
}

describe('the half-band filter', () => {
  it.each([300, 1000, 2500])('lets %d Hz pass', (hz) => {
    expect(Math.abs(gainsDb(hz).low)).toBeLessThan(0.5);
    expect(gainsDb(hz).high).toBeLessThan(-25);
  });

  it.each([5500, 6500, 7500])('keeps %d Hz out, and measures it', (hz) => {
    expect(gainsDb(hz).low).toBeLessThan(-25);
    expect(Math.abs(gainsDb(hz).high)).toBeLessThan(0.5);
  });
});
