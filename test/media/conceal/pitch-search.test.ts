import { expect, it } from 'vitest';
import { PitchSearch } from '../../../src/media/conceal/pitch-search.ts';
import { noise, RATES_HZ, vowel } from './sounds.ts';

const RANGE = { lagMsMin: 2.5, lagMsMax: 15, windowMs: 10 };

it.each(RATES_HZ)('at %i Hz it finds the period of a voice, or a multiple of it', (sampleRateHz) => {
  const search = new PitchSearch(sampleRateHz, RANGE);
  for (let pitchHz = 70; pitchHz <= 390; pitchHz += 8) {
    const voice = vowel(sampleRateHz, pitchHz, sampleRateHz / 10);
    const lag = search.find(voice, voice.length);
    const periods = (lag * pitchHz) / sampleRateHz;
    // To the nearest sample of a period.
    expect(Math.abs(periods - Math.round(periods))).toBeLessThan((1.01 * pitchHz) / sampleRateHz + 0.005);
    expect(search.correlation[0]).toBeGreaterThan(0.95);
  }
});

it('says of noise that nothing in it is alike', () => {
  const search = new PitchSearch(8000, { ...RANGE, windowMs: 20 });
  for (let seed = 1; seed <= 50; seed++) {
    search.find(noise(400, 5000, seed), 400);
    expect(search.correlation[0]).toBeLessThan(0.6);
  }
});

it('of silence it says a lag in range, and no likeness', () => {
  const search = new PitchSearch(8000, RANGE);
  const lag = search.find(new Int16Array(400), 400);
  expect(lag).toBeGreaterThanOrEqual(20);
  expect(lag).toBeLessThanOrEqual(120);
  expect(search.correlation[0]).toBe(0);
});

it('looks at no sample behind the end, nor further back than it says', () => {
  const search = new PitchSearch(8000, RANGE);
  const voice = vowel(8000, 150, 1600);
  const lag = search.find(voice, 1000);
  const likeness = search.correlation[0];
  const other = noise(1600, 30_000);
  other.set(voice.subarray(1000 - search.spanSamples, 1000), 1000 - search.spanSamples);
  // The low-pass of the coarse search reaches a sample further at 8 kHz; what it decides is refined without it.
  expect(search.find(other, 1000)).toBe(lag);
  expect(search.correlation[0]).toBe(likeness);
});
