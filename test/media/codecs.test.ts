import { beforeAll, describe, expect, it } from 'vitest';
import { VoiceError } from '../../src/base/errors.ts';
import { isSupported, openCodec } from '../../src/media/codecs.ts';
import { loadOpus } from '../../src/media/codecs/opus/opus.ts';
import {
  type AudioFormat,
  type CodecName,
  decodedSampleRateHz,
  formatName,
  frameBytes,
} from '../../src/media/format.ts';

function format(codec: CodecName, sampleRateHz: number, channels?: 1 | 2, littleEndian = true): AudioFormat {
  return { codec, sampleRateHz, littleEndian, ...(channels === undefined ? {} : { channels }) };
}

const G711 = (['pcmu', 'pcma'] as const).flatMap((codec) => [format(codec, 8000), format(codec, 16_000)]);
const L16 = [8000, 16_000, 24_000, 32_000, 48_000].flatMap((rateHz) => [
  format('l16', rateHz),
  format('l16', rateHz, 1, false),
]);
const STEREO = [
  format('pcmu', 8000, 2),
  format('pcma', 8000, 2),
  format('l16', 48_000, 2),
  format('l16', 24_000, 2, false),
];

/** A tone of 300 Hz, at a third of full scale. */
function tone(sampleRateHz: number, samples: number): Int16Array {
  return Int16Array.from(
    { length: samples },
    (_, i) => 10_000 * Math.sin((2 * Math.PI * 300 * i) / sampleRateHz),
  );
}

describe('a codec of constant frames', () => {
  it.each([...G711, ...L16, ...STEREO])(
    'keeps a tone in $codec at $sampleRateHz Hz × $channels',
    (wanted) => {
      expect(isSupported(wanted)).toBe(true);
      const codec = openCodec(wanted);
      const samples = wanted.sampleRateHz / 50;
      const wireBytes = samples * (wanted.codec === 'l16' ? 2 : 1) * (wanted.channels ?? 1);
      expect(codec).toMatchObject({ sampleRateHz: wanted.sampleRateHz, frameSamples: samples });
      expect([codec.frameBytes, codec.packetBytesMax, frameBytes(wanted)]).toEqual(Array(3).fill(wireBytes));

      const said = tone(wanted.sampleRateHz, samples);
      const bytes = new Uint8Array(wireBytes);
      const heard = new Int16Array(samples);
      expect(codec.encodeInto(said, bytes)).toBe(wireBytes);
      expect(codec.decodeInto(bytes, wireBytes, heard)).toBe(samples);
      // G.711 keeps 5 to 6 bits of each sample's magnitude; L16 keeps all.
      const tolerance = wanted.codec === 'l16' ? 0 : 1 / 16;
      for (let i = 0; i < samples; i++) {
        expect(Math.abs(heard[i]! - said[i]!)).toBeLessThanOrEqual((Math.abs(said[i]!) + 128) * tolerance);
      }
      codec.close();
    },
  );

  it.each([...G711, ...L16, ...STEREO, format('g722', 16_000)])(
    'reads only as many bytes of a scratch as it is told: $codec at $sampleRateHz Hz',
    (wanted) => {
      const codec = openCodec(wanted);
      const scratch = new Uint8Array(4 * codec.frameBytes).fill(0x2a);
      const target = new Int16Array(codec.packetSamplesMax).fill(7);
      expect(codec.decodeInto(scratch, codec.frameBytes, target)).toBe(codec.frameSamples);
      expect([...target.subarray(codec.frameSamples)].every((sample) => sample === 7)).toBe(true);
    },
  );

  it('of L16 speaks the byte order it was opened for', () => {
    const big = new Uint8Array(320);
    const little = new Uint8Array(320);
    const frame = new Int16Array(160).fill(0x0102);
    openCodec(format('l16', 8000, 1, false)).encodeInto(frame, big);
    openCodec(format('l16', 8000)).encodeInto(frame, little);
    expect([...big.subarray(0, 2), ...little.subarray(0, 2)]).toEqual([1, 2, 2, 1]);
  });

  it('mixes two channels by their average, which no pair can overflow', () => {
    const pairs = [32_767, 32_767, -32_768, -32_768, 32_767, -32_768, 100, 50, 3, 0, -3, 0];
    const bytes = new Uint8Array(2 * pairs.length);
    openCodec(format('l16', 8000)).encodeInto(Int16Array.from(pairs), bytes);
    const heard = new Int16Array(6);
    expect(openCodec(format('l16', 8000, 2)).decodeInto(bytes, bytes.length, heard)).toBe(6);
    expect([...heard]).toEqual([32_767, -32_768, -1, 75, 1, -2]);
  });
});

describe('G.722', () => {
  it('is 16 kHz at 64 kbit/s, whether the wire calls it 16 000 or by its RTP clock 8000', () => {
    for (const rateHz of [16_000, 8000]) {
      const wanted = format('g722', rateHz);
      expect(decodedSampleRateHz(wanted)).toBe(16_000);
      expect(openCodec(wanted)).toMatchObject({ sampleRateHz: 16_000, frameSamples: 320, frameBytes: 160 });
    }
  });
});

describe('Opus', () => {
  const formats = [8000, 12_000, 16_000, 24_000, 48_000].map((rateHz) => format('opus', rateHz, 2));

  it('is not offered before it is loaded', () => {
    expect(formats.map(isSupported)).toEqual(Array(5).fill(false));
    expect(() => openCodec(formats[0]!)).toThrow(VoiceError);
  });

  describe('once loaded', () => {
    beforeAll(loadOpus);

    it('is decoded and encoded at 16 kHz for every peer but one of 8 kHz', () => {
      expect(formats.map((wanted) => openCodec(wanted).sampleRateHz)).toEqual([
        8000, 16_000, 16_000, 16_000, 16_000,
      ]);
      expect(formats.map(isSupported)).toEqual(Array(5).fill(true));
      expect(openCodec(formats[4]!)).toMatchObject({
        frameBytes: 0,
        frameSamples: 320,
        packetSamplesMax: 1920,
      });
      expect(frameBytes(formats[4]!)).toBe(0);
    });
  });
});

describe('a format nobody here speaks', () => {
  it.each([
    format('pcmu', 44_100),
    format('l16', 0),
    format('l16', 11_000),
    format('g722', 48_000),
    format('g722', 16_000, 2),
    format('opus', 44_100),
    format('l16', 8000, 3 as 2),
    format('toString' as CodecName, 8000),
  ])('is refused: $codec at $sampleRateHz Hz × $channels', (unwanted) => {
    expect(isSupported(unwanted)).toBe(false);
    expect(() => openCodec(unwanted)).toThrow(VoiceError);
    expect(() => openCodec(unwanted)).toThrow(/no codec for/);
  });

  it('has a name that says rate and channels', () => {
    expect([format('pcmu', 8000), format('l16', 48_000, 2)].map(formatName)).toEqual([
      'PCMU/8000',
      'L16/48000/2',
    ]);
  });
});
