import { describe, expect, it } from 'vitest';
import { Q24_CASES, runQ24, type Q24Case } from '../../../../native-bench/tones/q24.ts';

const ROUNDS = process.env['OMNIVOICE_TEST_LONG'] === '1' ? 100 : 2;

const casesOf = (want: Q24Case['want']): Q24Case[] => Q24_CASES.filter((one) => one.want === want);

describe.each([8000, 16_000])('keys at the limits of ITU-T Q.24, at %i Hz', (rateHz) => {
  it.each(casesOf('heard'))('are heard: $group: $name', (one) => {
    const { sent, heard, wrong, sureMs } = runQ24(one, ROUNDS, rateHz);
    expect({ sent, heard, wrong }).toEqual({ sent: 16 * ROUNDS, heard: sent, wrong: 0 });
    // A key that noise nearly drowns needs longer.
    expect(Math.max(...sureMs)).toBeLessThan(one.name.includes(', 5 dB') ? 100 : 60);
  });

  it.each(casesOf('refused'))('are refused: $group: $name', (one) => {
    const { sent, heard, wrong } = runQ24(one, ROUNDS, rateHz);
    expect({ sent, heard, wrong }).toEqual({ sent: 16 * ROUNDS, heard: 0, wrong: 0 });
  });

  it.each(casesOf('either'))('are not mistaken for others: $group: $name', (one) => {
    expect(runQ24(one, ROUNDS, rateHz).wrong).toBe(0);
  });
});
