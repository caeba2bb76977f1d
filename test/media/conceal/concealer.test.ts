import { describe, expect, it } from 'vitest';
import { Concealer } from '../../../src/media/conceal/concealer.ts';
import { noise, pitchHzOf, RATES_HZ, rms, sine, stepMax, vowel } from './sounds.ts';

// Two minutes; an hour in the long run.
const FRAMES = process.env['OMNIVOICE_TEST_LONG'] === '1' ? 180_000 : 6000;

/** What is heard when frames of `sound` are lost: `lost` names them by their index. */
function heardOf(sound: Int16Array, sampleRateHz: number, lost: readonly number[]): Int16Array {
  const concealer = new Concealer(sampleRateHz);
  const heard = sound.slice();
  const samples = sampleRateHz / 50;
  for (let index = 0; index < sound.length / samples; index++) {
    const frame = heard.subarray(index * samples, (index + 1) * samples);
    if (lost.includes(index)) concealer.concealInto(frame);
    else concealer.hear(frame);
  }
  return heard;
}

const seconds = (sampleRateHz: number, durationSeconds: number): number => sampleRateHz * durationSeconds;

describe.each(RATES_HZ)('a gap at %i Hz', (sampleRateHz) => {
  const frame = sampleRateHz / 50;
  const said = vowel(sampleRateHz, 140, seconds(sampleRateHz, 0.4));

  it('is filled with the vowel going on: wrong by less than a tenth of its power for a frame', () => {
    const heard = heardOf(said, sampleRateHz, [10]);
    const error = Int16Array.from(heard, (sample, i) => sample - said[i]!);
    const gapError = rms(error, 10 * frame, 11 * frame);
    // The voice falls by a sixth of its amplitude meanwhile; that alone is an error of a tenth.
    expect(gapError).toBeLessThan(0.3 * rms(said));
  });

  it('has no click at its beginning, within it, or at its end', () => {
    for (const lost of [[10], [10, 11], [10, 11, 12, 13, 14, 15, 16]]) {
      const heard = heardOf(said, sampleRateHz, lost);
      expect(stepMax(heard)).toBeLessThan(1.3 * stepMax(said));
    }
  });

  it('keeps the pitch of the voice', () => {
    for (const pitchHz of [80, 140, 220, 330]) {
      const voice = vowel(sampleRateHz, pitchHz, seconds(sampleRateHz, 0.4));
      const heard = heardOf(voice, sampleRateHz, [10, 11, 12]);
      const gap = heard.subarray(10 * frame, 13 * frame);
      expect(Math.abs(pitchHzOf(gap, sampleRateHz, pitchHz) / pitchHz - 1)).toBeLessThan(0.01);
    }
  });

  it('falls from frame to frame and is silent after 120 ms where the line is silent', () => {
    const heard = heardOf(said, sampleRateHz, [10, 11, 12, 13, 14, 15, 16, 17]);
    const levels = [9, 10, 11, 12, 13, 14, 15].map((index) => rms(heard, index * frame, (index + 1) * frame));
    for (let i = 1; i < levels.length; i++) expect(levels[i]).toBeLessThan(levels[i - 1]!);
    expect(levels[1]).toBeGreaterThan(0.7 * levels[0]!);
    expect(levels[4]).toBeLessThan(0.36 * levels[0]!);
    expect(rms(heard, 16 * frame, 18 * frame)).toBe(0);
  });

  it('leaves every sample behind the join as it came', () => {
    const heard = heardOf(said, sampleRateHz, [10]);
    const joined = 11 * frame + (sampleRateHz * 4) / 1000;
    expect(heard.subarray(joined)).toEqual(said.subarray(joined));
    expect(heard.subarray(0, 10 * frame)).toEqual(said.subarray(0, 10 * frame));
  });

  it('is a pause with the noise of the line after a while', () => {
    const sound = noise(seconds(sampleRateHz, 1), 400);
    const lost = Array.from({ length: 30 }, (_, i) => 20 + i);
    const heard = heardOf(sound, sampleRateHz, lost);
    const level = rms(sound, 0, 20 * frame);
    for (let index = 20; index < 50; index++) {
      const found = rms(heard, index * frame, (index + 1) * frame);
      expect(found / level).toBeGreaterThan(0.6);
      expect(found / level).toBeLessThan(1.5);
    }
  });
});

describe('the concealer', () => {
  it('has nothing to say before it heard anything', () => {
    const concealer = new Concealer(8000);
    const frame = new Int16Array(160).fill(7);
    concealer.concealInto(frame);
    expect(frame.every((sample) => sample === 0)).toBe(true);
    frame.fill(7);
    concealer.comfortInto(frame);
    expect(frame.every((sample) => sample === 0)).toBe(true);
  });

  it('makes whole frames and counts them, and gaps apart', () => {
    const concealer = new Concealer(8000);
    const frame = new Int16Array(160);
    concealer.hear(frame);
    concealer.concealInto(frame);
    concealer.concealInto(frame);
    concealer.hear(frame);
    concealer.concealInto(frame);
    concealer.comfortInto(frame);
    expect(concealer.stats).toEqual({ concealedFrames: 3, comfortFrames: 1, gaps: 2 });
  });

  it('stays within 16 bits, without wrapping, where the sound is as loud as can be', () => {
    const loud = sine(8000, 180, 8000, 60_000).map((_, i) =>
      Math.sin((i * 2 * Math.PI * 180) / 8000) > 0 ? 32_767 : -32_768,
    );
    const heard = heardOf(loud, 8000, [7, 12, 13, 20, 21, 22, 30]);
    // A sum that wrapped would jump from one end to the other within the half of a period that has one sign.
    for (const index of [7, 12, 20, 30]) {
      const gap = heard.subarray(index * 160, index * 160 + 160);
      let turns = 0;
      for (let i = 1; i < gap.length; i++) if (gap[i]! > 0 !== gap[i - 1]! > 0) turns++;
      expect(turns).toBeLessThanOrEqual(10);
    }
  });

  it('is the same again after the same sound', () => {
    const said = noise(8000, 3000);
    const lost = [5, 6, 7, 20, 21, 22, 23, 40];
    expect(heardOf(said, 8000, lost)).toEqual(heardOf(said, 8000, lost));
  });

  it('forgets everything when it is reset', () => {
    const concealer = new Concealer(8000);
    const frame = noise(160, 500);
    for (let i = 0; i < 20; i++) concealer.hear(frame.slice());
    concealer.concealInto(frame);
    concealer.reset();
    concealer.concealInto(frame);
    expect(frame.every((sample) => sample === 0)).toBe(true);
    expect(concealer.background.power).toBe(0);
    const next = sine(8000, 200, 160);
    concealer.reset();
    concealer.hear(next);
    expect(next).toEqual(sine(8000, 200, 160));
  });

  it('lets a voice that was cut off go within milliseconds when a pause is asked for', () => {
    const concealer = new Concealer(8000);
    const said = vowel(8000, 150, 1600);
    for (let at = 0; at < said.length; at += 160) concealer.hear(said.slice(at, at + 160));
    const pause = new Int16Array(161);
    pause[0] = said[1599]!;
    concealer.comfortInto(pause.subarray(1));
    expect(stepMax(pause)).toBeLessThan(1.3 * stepMax(said));
    expect(rms(pause, 41)).toBe(0);
  });

  it('fades a voice in after a pause without changing its level', () => {
    const concealer = new Concealer(8000);
    const pause = new Int16Array(160);
    for (let i = 0; i < 10; i++) concealer.comfortInto(pause);
    const said = vowel(8000, 150, 160);
    const frame = said.slice();
    concealer.hear(frame);
    expect(frame.subarray(80)).toEqual(said.subarray(80));
    expect(Math.abs(frame[0]!)).toBeLessThanOrEqual(Math.abs(said[0]!) / 10);
  });

  it('goes on for many minutes of a silent peer as it began', () => {
    const concealer = new Concealer(8000);
    const frame = noise(160, 300);
    for (let i = 0; i < 20; i++) concealer.hear(noise(160, 300, i + 1));
    const levels: number[] = [];
    for (let i = 0; i < FRAMES; i++) {
      concealer.concealInto(frame);
      if (i % 1000 === 100) levels.push(rms(frame));
    }
    for (const level of levels) expect(Math.abs(level / levels[0]! - 1)).toBeLessThan(0.3);
    expect(concealer.stats.concealedFrames).toBe(FRAMES);
  });
});
