import { describe, expect, it } from 'vitest';
import { soundingsOf, tonesIn, type Sounding } from '../../../native-bench/tones/line-sounds.ts';
import { scoreTones, TONE_CASES } from '../../../native-bench/tones/tone-calls.ts';
import { Dice } from '../../../native-bench/vad/dice.ts';
import { ToneListener } from '../../../src/media/tones/tone-listener.ts';
import { TONE_DEFAULTS } from '../../../src/media/tones/tone-settings.ts';
import type { ToneEdge } from '../../../src/media/tones/tone-edge.ts';
import { readHello } from '../../fakes/hello.ts';

const ROUNDS = process.env['OMNIVOICE_TEST_LONG'] === '1' ? 200 : 2;
const RATE_HZ = 8000;

const on = (ms: number, ...hz: number[]): Sounding => ({ hz, ms });
const off = (ms: number): Sounding => ({ hz: [], ms });
const repeated = (times: number, ...parts: Sounding[]): Sounding[] =>
  Array.from({ length: times }, () => parts).flat();
const lineOf = (...parts: Sounding[]): Int16Array => soundingsOf(parts, { rateHz: RATE_HZ }, new Dice(5));
const namesOf = (edges: readonly ToneEdge[]): string =>
  edges.map(({ type, tone }) => (type === 'tone_detected' ? tone : `no more ${tone}`)).join(', ');

describe('ToneListener', () => {
  describe.each([8000, 16_000])('at %i Hz', (rateHz) => {
    it.each(TONE_CASES)('takes $name for $tone', (one) => {
      const { right, wrong } = scoreTones(one, ROUNDS, rateHz);
      // One tone in twenty may be missed or mistaken, and none of the few that are tried by default.
      expect(right).toBeGreaterThanOrEqual(Math.floor(0.95 * ROUNDS) + (ROUNDS < 50 ? 1 : 0));
      expect(wrong).toBeLessThanOrEqual(0.05 * ROUNDS);
    });
  });

  it('tells a beep when it is over, and where it began', () => {
    const [beep, ...more] = tonesIn(lineOf(off(500), on(300, 1000), off(1000)), RATE_HZ);
    expect(more).toEqual([]);
    expect(beep).toMatchObject({ type: 'tone_detected', tone: 'beep', frequencyHz: 1000 });
    expect(Math.abs((beep as { onsetMs: number }).onsetMs - 500)).toBeLessThanOrEqual(5);
    expect(beep!.atMs - 800).toBeLessThanOrEqual(140);
  });

  it('believes in a beep more after somebody has spoken', () => {
    const { samples } = readHello();
    const beep = lineOf(off(400), on(400, 1400), off(600));
    const spoken = Int16Array.of(...samples.subarray(0, RATE_HZ * 3), ...beep);
    const [alone] = tonesIn(beep, RATE_HZ);
    const [after] = tonesIn(spoken, RATE_HZ);
    expect(alone).toMatchObject({ tone: 'beep', confidence: 0.6 });
    expect(after).toMatchObject({ tone: 'beep', confidence: 0.95 });
    const strict = { ...TONE_DEFAULTS, beep: { ...TONE_DEFAULTS.beep, needsSpeech: true } };
    expect(tonesIn(beep, RATE_HZ, strict)).toEqual([]);
    expect(namesOf(tonesIn(spoken, RATE_HZ, strict))).toBe('beep');
  });

  it('is surer of a cadence the more of it was heard', () => {
    const ring = repeated(2, on(2000, 440, 480), off(4000));
    const [ringback] = tonesIn(lineOf(off(300), ...ring), RATE_HZ);
    const [busy] = tonesIn(lineOf(off(300), ...repeated(4, on(500, 480, 620), off(500))), RATE_HZ);
    expect(ringback).toMatchObject({ tone: 'ringback', confidence: 0.6 });
    expect(busy).toMatchObject({ tone: 'busy', confidence: 0.94 });
  });

  it('tells a ringback once, and when it stopped', () => {
    const sound = lineOf(off(300), ...repeated(3, on(1000, 425), off(4000)), off(1500));
    const edges = tonesIn(sound, RATE_HZ);
    expect(namesOf(edges)).toBe('ringback, no more ringback');
    expect(Math.abs((edges[1] as { durationMs: number }).durationMs - 11_000)).toBeLessThanOrEqual(40);
  });

  it('hears in a ringback that was joined in its middle what it is', () => {
    const sound = lineOf(on(700, 425), off(4000), on(1000, 425), off(4000));
    expect(namesOf(tonesIn(sound, RATE_HZ))).toContain('ringback');
  });

  it('hears that somebody answered between two rings', () => {
    const ring = lineOf(off(300), on(2000, 440, 480), off(700));
    const { samples } = readHello();
    const edges = tonesIn(Int16Array.of(...ring, ...samples.subarray(0, 4 * RATE_HZ)), RATE_HZ);
    expect(namesOf(edges)).toBe('ringback, no more ringback');
    expect(edges[1]!.atMs).toBeLessThan(6300);
  });

  it('hears the answer of a fax that turns its phase', () => {
    const turns = Array.from({ length: 6 }, () => on(450, 2100));
    const edges = tonesIn(lineOf(off(300), ...turns, off(500)), RATE_HZ);
    expect(namesOf(edges)).toBe('fax_ced, no more fax_ced');
  });

  it('knows the plans that it is given, and no others', () => {
    const japan = { tone: 'ringback', frequenciesHz: [400], cadenceMs: [1000, 2000] } as const;
    const sound = lineOf(off(300), ...repeated(3, on(1000, 400), off(2000)), off(2000));
    expect(namesOf(tonesIn(sound, RATE_HZ))).not.toContain('ringback');
    expect(namesOf(tonesIn(sound, RATE_HZ, { ...TONE_DEFAULTS, plans: [japan] }))).toContain('ringback');
  });

  it('needs no plans', () => {
    const settings = { ...TONE_DEFAULTS, plans: [] };
    expect(namesOf(tonesIn(lineOf(off(300), on(300, 425), off(500)), RATE_HZ, settings))).toBe('beep');
  });

  it.each([1, 7, 160, 333, 100_000])('says the same in pieces of %i samples', (size) => {
    const sound = lineOf(off(300), on(300, 1000), off(900), ...repeated(4, on(500, 480, 620), off(500)));
    const listener = new ToneListener(RATE_HZ);
    const edges: ToneEdge[] = [];
    for (let at = 0; at < sound.length; at += size) {
      edges.push(...listener.hear(sound.subarray(at, at + size), at / 8));
    }
    expect(namesOf([...edges, ...listener.finish()])).toBe('beep, busy, no more busy');
    expect([...edges, ...new ToneListener(RATE_HZ).finish()]).toEqual(
      tonesIn(sound, RATE_HZ).slice(0, edges.length),
    );
  });

  it('goes on over one lost packet, and not over a second of them', () => {
    const heardWith = (gapMs: number): string => {
      const sound = lineOf(off(300), on(300 + gapMs, 1000), off(900));
      const listener = new ToneListener(RATE_HZ);
      const cutMs = 440;
      const edges = [
        ...listener.hear(sound.subarray(0, 8 * cutMs), 0),
        ...listener.hear(sound.subarray(8 * (cutMs + gapMs)), cutMs + gapMs),
      ];
      return namesOf([...edges, ...listener.finish()]);
    };
    expect(heardWith(20)).toBe('beep');
    expect(heardWith(1000)).toBe('beep, beep');
  });

  it('hears no tone in a voice', () => {
    const { samples, sampleRateHz } = readHello();
    expect(tonesIn(samples, sampleRateHz)).toEqual([]);
  });

  it('refuses a rate that it does not hear', () => {
    expect(() => new ToneListener(44_100)).toThrow('no tones are heard at 44100 Hz');
  });
});
