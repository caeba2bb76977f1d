import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  ALAW_SILENCE,
  decodeAlawInto,
  decodeMulawInto,
  encodeAlawInto,
  encodeMulawInto,
  MULAW_SILENCE,
} from '../../../src/media/codecs/g711.ts';

const EVERY_SAMPLE = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768);
const EVERY_CODE = Uint8Array.from({ length: 256 }, (_, code) => code);

// G.711 as the loops of the ITU-T Software Tool Library (G.191) put it, in our words: segments are found by
// halving, where the tables under test find them by counting leading zeros.
function referenceMulawCode(sample: number): number {
  const magnitude = Math.min(((sample < 0 ? ~sample : sample) >> 2) + 33, 0x1fff);
  let segment = 1;
  for (let rest = magnitude >> 6; rest !== 0; rest >>= 1) segment++;
  const code = ((8 - segment) << 4) | (15 - ((magnitude >> segment) & 15));
  return sample >= 0 ? code | 0x80 : code;
}

function referenceMulawSample(code: number): number {
  const mantissa = 255 - code;
  const exponent = (mantissa >> 4) & 7;
  const step = 4 << (exponent + 1);
  const magnitude = (0x80 << exponent) + step * (mantissa & 15) + step / 2 - 4 * 33;
  return code < 128 ? 0 - magnitude : magnitude;
}

function referenceAlawCode(sample: number): number {
  let rest = (sample < 0 ? ~sample : sample) >> 4;
  if (rest > 15) {
    let exponent = 1;
    for (; rest > 31; rest >>= 1) exponent++;
    rest = rest - 16 + (exponent << 4);
  }
  return (sample >= 0 ? rest | 0x80 : rest) ^ 0x55;
}

function referenceAlawSample(code: number): number {
  const plain = (code ^ 0x55) & 0x7f;
  const exponent = plain >> 4;
  const mantissa = ((plain & 15) + (exponent > 0 ? 16 : 0)) * 16 + 8;
  const magnitude = exponent > 1 ? mantissa << (exponent - 1) : mantissa;
  return code > 127 ? magnitude : -magnitude;
}

function encodeAll(encodeInto: typeof encodeMulawInto): Uint8Array {
  const codes = new Uint8Array(EVERY_SAMPLE.length);
  expect(encodeInto(EVERY_SAMPLE, codes)).toBe(EVERY_SAMPLE.length);
  return codes;
}

function decodeAll(decodeInto: typeof decodeMulawInto): Int16Array {
  const samples = new Int16Array(EVERY_CODE.length);
  expect(decodeInto(EVERY_CODE, EVERY_CODE.length, samples)).toBe(EVERY_CODE.length);
  return samples;
}

function sha256(array: Uint8Array | Int16Array): string {
  return createHash('sha256').update(array).digest('hex');
}

// The digests are of what the STL's own g711.c, compiled, answers for every input in ascending order.
describe.each([
  {
    law: 'µ-law',
    encodeInto: encodeMulawInto,
    decodeInto: decodeMulawInto,
    codeOf: referenceMulawCode,
    sampleOf: referenceMulawSample,
    codesDigest: '90c29de505fb68e766118303bd552a16005dcf810873698bee1d8f3b247ce28c',
    samplesDigest: '3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827',
    silence: MULAW_SILENCE,
  },
  {
    law: 'A-law',
    encodeInto: encodeAlawInto,
    decodeInto: decodeAlawInto,
    codeOf: referenceAlawCode,
    sampleOf: referenceAlawSample,
    codesDigest: '38488f6fd710f4686360edc4d38639f96c491595ef93f8eb8d62d5e07ca6ce7b',
    samplesDigest: 'e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174',
    silence: ALAW_SILENCE,
  },
])('$law', ({ encodeInto, decodeInto, codeOf, sampleOf, codesDigest, samplesDigest, silence }) => {
  it('encodes all 65 536 samples as the formula of G.711 says', () => {
    expect(encodeAll(encodeInto)).toEqual(Uint8Array.from(EVERY_SAMPLE, codeOf));
  });

  it('decodes all 256 codes as the formula of G.711 says', () => {
    expect(decodeAll(decodeInto)).toEqual(Int16Array.from(EVERY_CODE, sampleOf));
  });

  it('answers what the reference library of ITU-T answers', () => {
    expect(sha256(encodeAll(encodeInto))).toBe(codesDigest);
    expect(sha256(decodeAll(decodeInto))).toBe(samplesDigest);
  });

  it('encodes sample 0 as silence', () => {
    const code = new Uint8Array(1);
    encodeInto(new Int16Array(1), code);
    expect(code[0]).toBe(silence);
  });

  it('stops at the shorter of source and target', () => {
    const samples = new Int16Array(4).fill(7);
    expect(decodeInto(new Uint8Array(9).fill(silence), 2, samples)).toBe(2);
    expect([...samples.subarray(2)]).toEqual([7, 7]);
    const codes = new Uint8Array(3).fill(1);
    expect(encodeInto(new Int16Array(2), codes)).toBe(2);
    expect([...codes]).toEqual([silence, silence, 1]);
  });
});

describe('a round trip through samples', () => {
  it('returns every A-law code', () => {
    const codes = new Uint8Array(256);
    encodeAlawInto(decodeAll(decodeAlawInto), codes);
    expect(codes).toEqual(EVERY_CODE);
  });

  it('returns every µ-law code, the negative zero 0x7f as the positive zero 0xff', () => {
    const codes = new Uint8Array(256);
    encodeMulawInto(decodeAll(decodeMulawInto), codes);
    expect(codes).toEqual(EVERY_CODE.map((code) => (code === 0x7f ? 0xff : code)));
  });
});
