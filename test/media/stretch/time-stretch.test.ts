import { describe, expect, it } from 'vitest';
import { Background } from '../../../src/media/conceal/background.ts';
import { TimeStretch } from '../../../src/media/stretch/time-stretch.ts';
import { noise, pitchHzOf, RATES_HZ, rms, sine, stepMax, vowel } from '../conceal/sounds.ts';

const KINDS = ['shorter', 'longer'] as const;

function changeInto(
  stretch: TimeStretch,
  kind: (typeof KINDS)[number],
  source: Int16Array,
  target: Int16Array,
): number {
  if (kind === 'shorter') return stretch.shortenInto(source, source.length, target);
  return stretch.lengthenInto(source, source.length, target);
}

/** Runs all of `sound` through a stretch, two frames at a time; returns what came out. */
function stretched(sound: Int16Array, sampleRateHz: number, kind: (typeof KINDS)[number]): Int16Array {
  const stretch = new TimeStretch(sampleRateHz);
  const piece = sampleRateHz / 25;
  const target = new Int16Array(2 * piece);
  const whole = new Int16Array(2 * sound.length);
  let written = 0;
  for (let at = 0; at + piece <= sound.length; at += piece) {
    const source = sound.subarray(at, at + piece);
    const samples = changeInto(stretch, kind, source, target);
    whole.set(target.subarray(0, samples), written);
    written += samples;
  }
  return whole.slice(0, written);
}

describe.each(RATES_HZ)('a voice at %i Hz', (sampleRateHz) => {
  const piece = sampleRateHz / 25;

  it('loses or gains whole periods and nothing else', () => {
    const stretch = new TimeStretch(sampleRateHz);
    for (const pitchHz of [75, 110, 150, 200, 300, 380]) {
      const source = vowel(sampleRateHz, pitchHz, piece);
      const target = new Int16Array(2 * piece);
      const shorter = stretch.shortenInto(source, piece, target);
      const longer = stretch.lengthenInto(source, piece, target);
      for (const changed of [piece - shorter, longer - piece]) {
        const periods = (changed * pitchHz) / sampleRateHz;
        expect(changed).toBeGreaterThan(0);
        expect(changed).toBeLessThanOrEqual((15 * sampleRateHz) / 1000);
        expect(Math.abs(periods - Math.round(periods))).toBeLessThan((1.01 * pitchHz) / sampleRateHz + 0.005);
      }
    }
  });

  it.each(KINDS)('keeps its pitch within 1 % and has no click when %s', (kind) => {
    for (const pitchHz of [80, 140, 220, 333]) {
      const said = vowel(sampleRateHz, pitchHz, 12 * piece);
      const heard = stretched(said, sampleRateHz, kind);
      const ratio = heard.length / said.length;
      expect(kind === 'shorter' ? 1 / ratio : ratio).toBeGreaterThan(1.05);
      expect(Math.abs(pitchHzOf(heard, sampleRateHz, pitchHz) / pitchHz - 1)).toBeLessThan(0.01);
      expect(stepMax(heard)).toBeLessThan(1.15 * stepMax(said));
      expect(Math.abs(20 * Math.log10(rms(heard) / rms(said)))).toBeLessThan(0.5);
    }
  });

  it('begins and ends as it did, so that pieces join without a trace', () => {
    const stretch = new TimeStretch(sampleRateHz);
    const source = vowel(sampleRateHz, 140, piece);
    const target = new Int16Array(2 * piece);
    const edge = sampleRateHz / 1000;
    for (const kind of KINDS) {
      const written = changeInto(stretch, kind, source, target);
      expect(target.subarray(0, edge)).toEqual(source.subarray(0, edge));
      expect(target.subarray(written - edge, written)).toEqual(source.subarray(piece - edge));
    }
  });
});

describe('a pause', () => {
  it('of silence loses or gains a whole frame at once', () => {
    const stretch = new TimeStretch(8000);
    const target = new Int16Array(640).fill(9);
    expect(stretch.shortenInto(new Int16Array(320), 320, target)).toBe(160);
    expect(stretch.lengthenInto(new Int16Array(320), 320, target)).toBe(480);
    expect(target.subarray(0, 480).every((sample) => sample === 0)).toBe(true);
    expect(stretch.stats).toEqual({ removedSamples: 160, addedSamples: 160, stretched: 2, refused: 0 });
  });

  it('in noise is one when the background is known, and keeps its level', () => {
    const background = new Background(8000);
    const room = noise(16_000, 500);
    for (let at = 0; at < 8000; at += 160) background.hear(room.subarray(at, at + 160));
    const source = room.subarray(8000, 8320);
    const target = new Int16Array(640);
    expect(new TimeStretch(8000).shortenInto(source, 320, target)).toBe(320);
    const stretch = new TimeStretch(8000, background);
    let squares = 0;
    for (let at = 8000; at < 16_000; at += 320) {
      const written = stretch.shortenInto(room.subarray(at, at + 320), 320, target);
      expect(written).toBe(160);
      squares += rms(target, 60, 100) ** 2 / 25;
    }
    expect(Math.abs(10 * Math.log10(squares / (500 ** 2 / 3)))).toBeLessThan(1);
  });

  it('with the beginning of a word in it is none', () => {
    const stretch = new TimeStretch(8000);
    const source = new Int16Array(320);
    source.set(noise(30, 3000), 280);
    expect(stretch.shortenInto(source, 320, new Int16Array(640))).toBe(320);
    expect(stretch.stats.refused).toBe(1);
  });
});

describe('what has no period', () => {
  it('is left as it is, and counted: a fricative', () => {
    const stretch = new TimeStretch(8000);
    const target = new Int16Array(640);
    for (let seed = 1; seed <= 50; seed++) {
      const source = noise(320, 4000, seed);
      expect(stretch.shortenInto(source, 320, target)).toBe(320);
      expect(target.subarray(0, 320)).toEqual(source);
      expect(stretch.lengthenInto(source, 320, target)).toBe(320);
      expect(target.subarray(0, 320)).toEqual(source);
    }
    expect(stretch.stats).toMatchObject({ removedSamples: 0, addedSamples: 0, refused: 100 });
  });

  it('is left as it is where there is less than 30 ms', () => {
    const stretch = new TimeStretch(8000);
    const target = new Int16Array(640);
    expect(stretch.shortenInto(sine(8000, 200, 239), 239, target)).toBe(239);
    expect(stretch.lengthenInto(new Int16Array(160), 160, target)).toBe(160);
    expect(stretch.stats.refused).toBe(2);
  });
});

describe('the usual ways', () => {
  it.each(KINDS)('a clock off by 200 ppm for ten minutes is made up for: %s', (kind) => {
    // 120 ms are to go or to come in 600 s, one period at a time, whenever that much is owed.
    const sampleRateHz = 8000;
    const stretch = new TimeStretch(sampleRateHz);
    const said = vowel(sampleRateHz, 137, 320 * 50);
    const target = new Int16Array(640);
    let owedSamples = 0;
    let changes = 0;
    let steepest = 0;
    for (let index = 0; index < 15_000; index++) {
      owedSamples += 320 * 200e-6;
      const at = (index % 50) * 320;
      const source = said.subarray(at, at + 320);
      if (owedSamples < 60) continue;
      const isShorter = kind === 'shorter';
      const written = isShorter
        ? stretch.shortenInto(source, 320, target)
        : stretch.lengthenInto(source, 320, target);
      owedSamples -= Math.abs(written - 320);
      changes++;
      steepest = Math.max(steepest, stepMax(target, 1, written));
    }
    expect(Math.abs(owedSamples)).toBeLessThan(120);
    expect(changes).toBeGreaterThan(5);
    expect(steepest).toBeLessThan(1.15 * stepMax(said));
  });

  it('five seconds of a voice drain by a quarter of their time, and more', () => {
    const said = vowel(8000, 120, 40_000);
    expect(stretched(said, 8000, 'shorter').length / said.length).toBeLessThan(0.8);
  });

  it('the loudest sound there is saturates and does not wrap', () => {
    const loud = Int16Array.from({ length: 320 }, (_, i) => (i % 53 < 27 ? 32_767 : -32_768));
    const stretch = new TimeStretch(8000);
    const target = new Int16Array(640);
    for (const kind of KINDS) {
      const written = changeInto(stretch, kind, loud, target);
      expect(written).not.toBe(320);
      let turns = 0;
      for (let i = 1; i < written; i++) if (target[i]! > 0 !== target[i - 1]! > 0) turns++;
      expect(turns).toBeLessThanOrEqual(Math.ceil((2 * written) / 53));
    }
  });

  it('a target without room is our own mistake', () => {
    const stretch = new TimeStretch(8000);
    expect(() => stretch.lengthenInto(vowel(8000, 100, 320), 320, new Int16Array(320))).toThrow('needs room');
  });
});
