import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { G722Decoder, G722Encoder } from '../../../src/media/codecs/g722/g722.ts';
import { HigherBand } from '../../../src/media/codecs/g722/higher-band.ts';
import { LowerBand } from '../../../src/media/codecs/g722/lower-band.ts';

const SEQUENCE_WORDS = 800;
const RESET = 1;

/**
 * Digital test sequence 2 of G.722 appendix II (T1C2.XMT), restated: reset words around full-scale alternation,
 * which drives every saturation there is. Bit 0 is the reset, the sample lies above it.
 */
function overflowSequence(): Uint16Array {
  return Uint16Array.from({ length: SEQUENCE_WORDS }, (_, i) => {
    if (i < 16 || i >= 784) return RESET;
    if (i < 655) return i % 2 === 0 ? 0x8000 : 0x7ffe;
    if (i < 658) return [0, 0xb1e0, 0xc000][i - 655]!;
    return i % 3 === 2 ? 0x7ffe : 0x8000;
  });
}

/** Runs both bands without their filters, as appendix II does. */
function throughBands(words: Uint16Array, step: (low: LowerBand, high: HigherBand, word: number) => number) {
  let low = new LowerBand();
  let high = new HigherBand();
  return words.map((word) => {
    if ((word & RESET) === 0) return step(low, high, word);
    low = new LowerBand();
    high = new HigherBand();
    return RESET;
  });
}

function encodeSequence(words: Uint16Array): Uint16Array {
  return throughBands(words, (low, high, word) => {
    const sample = (word << 16) >> 17;
    return ((high.encode(sample) << 6) | low.encode(sample)) << 8;
  });
}

const crcOf = (words: Uint16Array): string => crc32(new Uint8Array(words.buffer)).toString(16);
const sha256 = (array: Uint8Array | Int16Array): string => createHash('sha256').update(array).digest('hex');

/** 16-bit noise of a linear congruential generator, so that other implementations can be given the same. */
function noise(): () => number {
  let state = 722;
  return () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 16;
}

function encode(samples: Int16Array): Uint8Array {
  const bytes = new Uint8Array(samples.length >> 1);
  expect(new G722Encoder().encodeInto(samples, bytes)).toBe(bytes.length);
  return bytes;
}

function decode(bytes: Uint8Array): Int16Array {
  const samples = new Int16Array(2 * bytes.length);
  expect(new G722Decoder().decodeInto(bytes, bytes.length, samples)).toBe(samples.length);
  return samples;
}

// The checksums are those that ITU-T publishes with the sequences.
describe('the bands of G.722', () => {
  it('encode the overflow sequence as appendix II does', () => {
    expect(crcOf(overflowSequence())).toBe('2d604685');
    expect(crcOf(encodeSequence(overflowSequence()))).toBe('344ea5d0');
  });

  it('decode the overflow sequence as appendix II does', () => {
    const codes = encodeSequence(overflowSequence());
    expect(crcOf(throughBands(codes, (low, _, word) => low.decode((word >> 8) & 0x3f) << 1))).toBe(
      'af00f31f',
    );
    expect(crcOf(throughBands(codes, (_, high, word) => high.decode(word >> 14) << 1))).toBe('5330ae2e');
  });
});

// The digests are of what the reference code of G.191 and ffmpeg answer to the same input.
describe('G.722', () => {
  it('decodes any bytes as the reference does', () => {
    expect(sha256(decode(Uint8Array.from({ length: 100_000 }, noise())))).toBe(
      '4de21664a620b06e40020a4366f7dd09ab1762c1f91fe65f1f00d3e8c848df4c',
    );
  });

  it('encodes any samples as the reference does', () => {
    const next = noise();
    for (let i = 0; i < 100_000; i++) next();
    expect(sha256(encode(Int16Array.from({ length: 200_000 }, next)))).toBe(
      'a1473ef19e3055459fa54bda9643e343516e8e23ff1e43b5a3374e299e8d6ced',
    );
  });

  it('limits the bands of a full-scale sweep as the reference does', () => {
    const sweep = Int16Array.from({ length: 32_000 }, (_, i) =>
      Math.round(32_767 * Math.sin((2 * Math.PI * i * i * 4000) / (16_000 * 32_000))),
    );
    expect(sha256(encode(sweep))).toBe('73007d2c011b15cc63d9d279b0817c5fabe72e2ba1b8468209de4170976e156b');
  });

  it('keeps a tone of each band, 22 samples late', () => {
    for (const [frequencyHz, snrDbMin] of [
      [440, 30],
      [6000, 12],
    ] as const) {
      const said = Int16Array.from(
        { length: 16_000 },
        (_, i) => 8000 * Math.sin((2 * Math.PI * frequencyHz * i) / 16_000),
      );
      const heard = decode(encode(said));
      let [signal, error] = [0, 0];
      for (let i = 1000; i < said.length; i++) {
        signal += said[i - 22]! ** 2;
        error += (heard[i]! - said[i - 22]!) ** 2;
      }
      expect(10 * Math.log10(signal / error)).toBeGreaterThan(snrDbMin);
    }
  });

  it('does not care how a stream is cut', () => {
    const bytes = Uint8Array.from({ length: 5000 }, noise());
    const whole = decode(bytes);
    const decoder = new G722Decoder();
    const encoder = new G722Encoder();
    const pieces = new Int16Array(whole.length);
    const codes = new Uint8Array(bytes.length);
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7 + 3) % 400) {
      const samples = new Int16Array(2 * Math.min(size, bytes.length - at));
      decoder.decodeInto(bytes.slice(at, at + size), Math.min(size, bytes.length - at), samples);
      pieces.set(samples, 2 * at);
      encoder.encodeInto(samples, codes.subarray(at));
    }
    expect(pieces).toEqual(whole);
    expect(codes).toEqual(encode(whole));
  });

  it('stops where the target ends', () => {
    const samples = new Int16Array(5).fill(7);
    expect(new G722Decoder().decodeInto(new Uint8Array(9), 9, samples)).toBe(4);
    expect(samples[4]).toBe(7);
    const bytes = new Uint8Array(3).fill(7);
    expect(new G722Encoder().encodeInto(new Int16Array(5), bytes)).toBe(2);
    expect(bytes[2]).toBe(7);
  });
});
