import { describe, expect, it } from 'vitest';
import { DtmfDetector, type KeyEdge } from '../../../../src/media/tones/dtmf/dtmf-detector.ts';
import { DTMF_DEFAULTS } from '../../../../src/media/tones/dtmf/dtmf-settings.ts';
import { DtmfTone, DTMF_TONE_DEFAULTS } from '../../../../src/media/tones/dtmf/dtmf-tone.ts';
import { edgesOf } from '../../../../native-bench/tones/q24.ts';
import { readHello } from '../../../fakes/hello.ts';
import { noise, vowel } from '../../conceal/sounds.ts';

const RATE_HZ = 8000;
const FRAME = RATE_HZ / 50;

function keys(digits: string, onMs = 100, offMs = 70): Int16Array {
  const sound = new Int16Array((digits.length * (onMs + offMs) + 100) * 8);
  new DtmfTone(digits, RATE_HZ, { ...DTMF_TONE_DEFAULTS, onMs, offMs }).fillInto(sound);
  return sound;
}

function hear(detector: DtmfDetector, sound: Int16Array, fromMs = 0, size = FRAME): KeyEdge[] {
  const edges: KeyEdge[] = [];
  for (let at = 0; at < sound.length; at += size) {
    edges.push(...detector.hear(sound.subarray(at, at + size), fromMs + at / 8));
  }
  return edges;
}

const digitsOf = (edges: readonly KeyEdge[]): string =>
  edges.map(({ type, digit }) => (type === 'key_pressed' ? digit : '.')).join('');

describe('DtmfDetector', () => {
  it('tells a key when it is sure, and again when it is up', () => {
    const sound = keys('5', 120);
    const [pressed, released, ...more] = hear(new DtmfDetector(RATE_HZ), sound, 1000);
    expect(more).toEqual([]);
    expect(pressed).toMatchObject({ type: 'key_pressed', digit: '5' });
    expect(pressed!.atMs - 1000).toBeLessThan(55);
    expect(Math.abs(pressed!.onsetMs - 1000)).toBeLessThanOrEqual(3);
    expect(released).toMatchObject({ type: 'key_released', digit: '5', onsetMs: pressed!.onsetMs });
    expect(Math.abs((released as { durationMs: number }).durationMs - 120)).toBeLessThanOrEqual(4);
  });

  it.each([1, 7, 40, 80, 161, 333, 100_000])('says the same in pieces of %i samples', (size) => {
    const sound = keys('*1402#');
    const whole = hear(new DtmfDetector(RATE_HZ), sound);
    expect(digitsOf(whole)).toBe('*.1.4.0.2.#.');
    expect(hear(new DtmfDetector(RATE_HZ), sound, 0, size)).toEqual(whole);
  });

  it('hears one key after another without a pause', () => {
    expect(digitsOf(hear(new DtmfDetector(RATE_HZ), keys('159D', 80, 0)))).toBe('1.5.9.D.');
  });

  it('hears a key that grows softer in the middle once', () => {
    const sound = keys('8', 400);
    for (let i = 1600; i < sound.length; i++) sound[i] = Math.round(sound[i]! / 3);
    expect(digitsOf(hear(new DtmfDetector(RATE_HZ), sound))).toBe('8.');
  });

  it('takes lost packets in the middle of a key for the key', () => {
    const detector = new DtmfDetector(RATE_HZ);
    const sound = keys('3', 200);
    const edges = [
      ...hear(detector, sound.subarray(0, 800), 0),
      ...hear(detector, sound.subarray(1120), 140),
    ];
    expect(digitsOf(edges)).toBe('3.');
    expect(Math.abs((edges[1] as { durationMs: number }).durationMs - 200)).toBeLessThanOrEqual(6);
  });

  it('lets a key go at a long gap, and at a jump backwards', () => {
    for (const laterMs of [200, -500]) {
      const detector = new DtmfDetector(RATE_HZ);
      const first = hear(detector, keys('3', 200).subarray(0, 800), 1000);
      const second = hear(detector, keys('3', 200), 1100 + laterMs);
      expect(digitsOf([...first, ...second])).toBe('3.3.');
    }
  });

  it('lets go at the end of the stream', () => {
    const detector = new DtmfDetector(RATE_HZ);
    hear(detector, keys('6', 200).subarray(0, 1280));
    expect(detector.isPressed).toBe(true);
    const [released, ...more] = detector.finish();
    expect(more).toEqual([]);
    expect(released).toMatchObject({ type: 'key_released', digit: '6' });
    expect(Math.abs((released as { durationMs: number }).durationMs - 160)).toBeLessThanOrEqual(6);
    expect(detector.isPressed).toBe(false);
    expect(detector.finish()).toEqual([]);
  });

  it('hears a key over a voice that is softer', () => {
    const sound = keys('4', 120);
    const voice = vowel(RATE_HZ, 140, sound.length, 700);
    for (let i = 0; i < sound.length; i++) sound[i]! += voice[i]!;
    expect(digitsOf(hear(new DtmfDetector(RATE_HZ), sound))).toBe('4.');
  });

  it('hears no key in a voice, in noise, in silence, in one tone of a key and in three', () => {
    const { samples } = readHello();
    const seconds = 20 * RATE_HZ;
    const tones = (...hz: number[]): Int16Array =>
      Int16Array.from({ length: seconds }, (_, i) =>
        Math.round(hz.reduce((sum, one) => sum + 6000 * Math.sin((2 * Math.PI * one * i) / RATE_HZ), 0)),
      );
    const sounds = [
      samples,
      noise(seconds, 12_000),
      new Int16Array(seconds),
      tones(770),
      tones(1336),
      tones(770, 1336, 1477),
      tones(697, 770, 1336),
      ...[110, 174, 192, 232, 385].map((pitchHz) => vowel(RATE_HZ, pitchHz, seconds)),
    ];
    for (const sound of sounds) expect(edgesOf(sound, RATE_HZ)).toEqual([]);
  });

  it('keeps to the settings that it is given', () => {
    const count = (settings: Partial<typeof DTMF_DEFAULTS>): number =>
      edgesOf(keys('1', 60), RATE_HZ, { ...DTMF_DEFAULTS, ...settings }).length;
    expect(count({})).toBe(2);
    expect(count({ durationMinMs: 70 })).toBe(0);
    expect(count({ levelMinDbm0: -5 })).toBe(0);
    expect(count({ highOverLowMaxDb: 1 })).toBe(0);
  });

  it('refuses a rate that it does not hear', () => {
    expect(() => new DtmfDetector(11_025)).toThrow('no tones are heard at 11025 Hz');
  });
});
