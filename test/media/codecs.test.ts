import { describe, expect, it } from 'vitest';
import { VoiceError } from '../../src/base/errors.ts';
import { isSupported, openCodec } from '../../src/media/codecs.ts';
import type { AudioFormat, CodecName } from '../../src/media/format.ts';

function format(codec: CodecName, sampleRateHz: number, littleEndian = true): AudioFormat {
  return { codec, sampleRateHz, littleEndian };
}

const SUPPORTED = (['pcmu', 'pcma', 'l16'] as const).flatMap((codec) =>
  [8000, 16_000].flatMap((rateHz) => [format(codec, rateHz, true), format(codec, rateHz, false)]),
);

describe('a codec', () => {
  it.each(SUPPORTED)('is open for $codec at $sampleRateHz Hz, little endian $littleEndian', (wanted) => {
    expect(isSupported(wanted)).toBe(true);
    const codec = openCodec(wanted);
    const samples = wanted.sampleRateHz / 50;
    expect(codec.sampleRateHz).toBe(wanted.sampleRateHz);
    expect(codec.frameBytes).toBe(wanted.codec === 'l16' ? 2 * samples : samples);

    const ramp = Int16Array.from({ length: samples }, (_, i) => (i - samples / 2) * 64);
    const bytes = new Uint8Array(codec.frameBytes);
    const heard = new Int16Array(samples);
    expect(codec.encodeInto(ramp, bytes)).toBe(codec.frameBytes);
    expect(codec.decodeInto(bytes, heard)).toBe(samples);
    // G.711 keeps 5 to 6 bits of each sample's magnitude; L16 keeps all.
    const tolerance = wanted.codec === 'l16' ? 0 : 1 / 16;
    for (let i = 0; i < samples; i++) {
      expect(Math.abs(heard[i]! - ramp[i]!)).toBeLessThanOrEqual(
        Math.abs(ramp[i]!) * tolerance + 8 * tolerance * 16,
      );
    }
  });

  it('of L16 speaks the byte order it was opened for', () => {
    const big = new Uint8Array(320);
    const little = new Uint8Array(320);
    const frame = new Int16Array(160).fill(0x0102);
    openCodec(format('l16', 8000, false)).encodeInto(frame, big);
    openCodec(format('l16', 8000, true)).encodeInto(frame, little);
    expect([...big.subarray(0, 2), ...little.subarray(0, 2)]).toEqual([1, 2, 2, 1]);
  });

  it.each([format('pcmu', 44_100), format('l16', 0), format('opus' as CodecName, 16_000)])(
    'is refused for $codec at $sampleRateHz Hz',
    (unwanted) => {
      expect(isSupported(unwanted)).toBe(false);
      expect(() => openCodec(unwanted)).toThrow(VoiceError);
      expect(() => openCodec(unwanted)).toThrow(/no codec for/);
    },
  );
});
