import { describe, expect, it } from 'vitest';
import {
  decodeL16BigInto,
  decodeL16LittleInto,
  encodeL16BigInto,
  encodeL16LittleInto,
} from '../../../src/media/codecs/l16.ts';

const SAMPLES = Int16Array.of(0, 1, -1, 0x1234, -32_768, 32_767);
const BIG = Uint8Array.of(0, 0, 0, 1, 0xff, 0xff, 0x12, 0x34, 0x80, 0, 0x7f, 0xff);
const LITTLE = Uint8Array.of(0, 0, 1, 0, 0xff, 0xff, 0x34, 0x12, 0, 0x80, 0xff, 0x7f);

describe.each([
  { order: 'big-endian', bytes: BIG, decodeInto: decodeL16BigInto, encodeInto: encodeL16BigInto },
  { order: 'little-endian', bytes: LITTLE, decodeInto: decodeL16LittleInto, encodeInto: encodeL16LittleInto },
])('$order L16', ({ bytes, decodeInto, encodeInto }) => {
  it('becomes samples', () => {
    const samples = new Int16Array(6);
    expect(decodeInto(bytes, bytes.length, samples)).toBe(6);
    expect(samples).toEqual(SAMPLES);
  });

  it('is made of samples', () => {
    const encoded = new Uint8Array(12);
    expect(encodeInto(SAMPLES, encoded)).toBe(12);
    expect(encoded).toEqual(bytes);
  });

  it('may start at an odd address', () => {
    const shifted = new Uint8Array(13);
    shifted.set(bytes, 1);
    const samples = new Int16Array(6);
    decodeInto(shifted.subarray(1), bytes.length, samples);
    expect(samples).toEqual(SAMPLES);
    const target = new Uint8Array(13);
    encodeInto(SAMPLES, target.subarray(1));
    expect(target.subarray(1)).toEqual(bytes);
  });

  it('leaves a trailing odd byte alone', () => {
    const samples = new Int16Array(6).fill(9);
    expect(decodeInto(bytes, 5, samples)).toBe(2);
    expect(samples[2]).toBe(9);
    const encoded = new Uint8Array(3).fill(9);
    expect(encodeInto(SAMPLES, encoded)).toBe(2);
    expect(encoded[2]).toBe(9);
  });
});
