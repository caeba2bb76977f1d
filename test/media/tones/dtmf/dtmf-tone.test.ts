import { describe, expect, it } from 'vitest';
import { DTMF_TONE_DEFAULTS, DtmfTone } from '../../../../src/media/tones/dtmf/dtmf-tone.ts';
import { DIGITS } from '../../../../src/media/tones/dtmf/keypad.ts';
import { dbm0OfPower, powerOfDbm0 } from '../../../../src/media/tones/power.ts';
import { edgesOf } from '../../../../native-bench/tones/q24.ts';

function said(digits: string, rateHz: number, settings = DTMF_TONE_DEFAULTS): Int16Array {
  const tone = new DtmfTone(digits, rateHz, settings);
  const { onMs, offMs } = settings;
  const sound = new Int16Array(((digits.length * (onMs + offMs) + 60) * rateHz) / 1000);
  tone.fillInto(sound);
  expect(tone.isDone).toBe(true);
  return sound;
}

describe('DtmfTone', () => {
  it.each([8000, 16_000])('says all keys as they are heard again, at %i Hz', (rateHz) => {
    const pressed = edgesOf(said(DIGITS, rateHz), rateHz).filter((edge) => edge.type === 'key_pressed');
    expect(pressed.map(({ digit }) => digit).join('')).toBe(DIGITS);
  });

  it('holds each key for 100 ms and pauses for 70', () => {
    const sound = said('51', 8000);
    const isSilent = (fromMs: number, toMs: number): boolean =>
      sound.subarray(8 * fromMs, 8 * toMs).every((sample) => sample === 0);
    expect(isSilent(100, 170)).toBe(true);
    expect(isSilent(270, 400)).toBe(true);
    expect(isSilent(95, 100)).toBe(false);
    expect(isSilent(170, 175)).toBe(false);
  });

  it('is as loud as it is told', () => {
    const sound = said('7', 8000, { ...DTMF_TONE_DEFAULTS, lowLevelDbm0: -14, highLevelDbm0: -11 });
    const steady = sound.subarray(80, 720);
    const power = steady.reduce((sum, sample) => sum + sample * sample, 0) / steady.length;
    const wanted = dbm0OfPower(powerOfDbm0(-14) + powerOfDbm0(-11));
    expect(dbm0OfPower(power)).toBeCloseTo(wanted, 0);
  });

  it('begins and ends without a click', () => {
    const sound = said('0', 16_000);
    const peak = Math.max(...sound);
    expect(Math.abs(sound[0]!)).toBeLessThan(peak / 20);
    expect(Math.abs(sound[1599]!)).toBeLessThan(peak / 20);
  });

  it('says the same in pieces of any length', () => {
    const whole = said('1#', 8000);
    const tone = new DtmfTone('1#', 8000);
    const pieces = new Int16Array(whole.length);
    let filled = 0;
    for (let at = 0, size = 1; at < pieces.length; at += size, size = (size * 7) % 323) {
      filled += tone.fillInto(pieces.subarray(at, at + size));
    }
    expect(pieces).toEqual(whole);
    expect(filled).toBe(2 * 170 * 8);
  });

  it('is done at once when there is nothing to say', () => {
    const tone = new DtmfTone('', 8000);
    const frame = new Int16Array(160).fill(1);
    expect(tone.isDone).toBe(true);
    expect(tone.fillInto(frame)).toBe(0);
    expect(frame.every((sample) => sample === 0)).toBe(true);
  });

  it.each(['X', '1 2', '12é', '1'.repeat(129)])('refuses %j', (digits) => {
    expect(() => new DtmfTone(digits, 8000)).toThrow('cannot be said');
  });

  it.each([{ onMs: 0 }, { onMs: -1 }, { offMs: -1 }, { onMs: 1e9 }, { onMs: NaN }])('refuses %j', (times) => {
    expect(() => new DtmfTone('1', 8000, { ...DTMF_TONE_DEFAULTS, ...times })).toThrow('cannot be said');
  });

  it('does not wrap around when it is told to be too loud', () => {
    const sound = said('9', 8000, { ...DTMF_TONE_DEFAULTS, lowLevelDbm0: 6, highLevelDbm0: 6 });
    const soft = said('9', 8000, { ...DTMF_TONE_DEFAULTS, lowLevelDbm0: -14, highLevelDbm0: -14 });
    expect(Math.max(...sound)).toBe(32_767);
    for (let i = 0; i < 800; i++) expect(sound[i]! * soft[i]!).toBeGreaterThanOrEqual(0);
  });
});
