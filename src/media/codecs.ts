import { VoiceError } from '../base/errors.ts';
import type { Codec } from './codec.ts';
import { type Kernels, openByteCodec } from './codecs/byte-codec.ts';
import { decodeAlawInto, decodeMulawInto, encodeAlawInto, encodeMulawInto } from './codecs/g711.ts';
import { G722Decoder, G722Encoder } from './codecs/g722/g722.ts';
import {
  decodeL16BigInto,
  decodeL16LittleInto,
  encodeL16BigInto,
  encodeL16LittleInto,
} from './codecs/l16.ts';
import { isOpusLoaded, openOpus } from './codecs/opus/opus.ts';
import { OPUS_SAMPLE_RATES_HZ, type OpusSettings } from './codecs/opus/settings.ts';
import { type AudioFormat, type CodecName, decodedSampleRateHz, formatName } from './format.ts';

// Rates whose 20 ms are whole samples; 11 025 Hz has none.
const SAMPLE_RATES_HZ: Readonly<Record<CodecName, readonly number[]>> = {
  pcmu: [8000, 16_000],
  pcma: [8000, 16_000],
  l16: [8000, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000],
  g722: [8000, 16_000],
  opus: OPUS_SAMPLE_RATES_HZ,
};

const PCMU: Kernels = { decodeInto: decodeMulawInto, encodeInto: encodeMulawInto };
const PCMA: Kernels = { decodeInto: decodeAlawInto, encodeInto: encodeAlawInto };
const L16_LITTLE: Kernels = { decodeInto: decodeL16LittleInto, encodeInto: encodeL16LittleInto };
const L16_BIG: Kernels = { decodeInto: decodeL16BigInto, encodeInto: encodeL16BigInto };

/** Whether `openCodec` can serve this format: ask before a leg is accepted. Opus once it is loaded. */
export function isSupported({ codec, sampleRateHz, channels = 1 }: AudioFormat): boolean {
  // A format may come from configuration or from a peer; the union is a promise of types only.
  if (!Object.hasOwn(SAMPLE_RATES_HZ, codec) || !SAMPLE_RATES_HZ[codec].includes(sampleRateHz)) return false;
  if (channels !== 1 && (channels !== 2 || codec === 'g722')) return false;
  return codec !== 'opus' || isOpusLoaded();
}

/** The codec of one direction of one leg. Throws `unsupported_format` for what `isSupported` denies. */
export function openCodec(format: AudioFormat, opus: Partial<OpusSettings> = {}): Codec {
  if (!isSupported(format)) {
    throw new VoiceError('unsupported_format', `no codec for ${formatName(format)}`, { field: 'format' });
  }
  if (format.codec === 'opus') return openOpus(decodedSampleRateHz(format), opus);
  return openByteCodec(format, kernelsOf(format));
}

function kernelsOf({ codec, littleEndian }: AudioFormat): Kernels {
  if (codec === 'g722') return g722Kernels();
  if (codec === 'l16') return littleEndian ? L16_LITTLE : L16_BIG;
  return codec === 'pcma' ? PCMA : PCMU;
}

function g722Kernels(): Kernels {
  const decoder = new G722Decoder();
  const encoder = new G722Encoder();
  return {
    decodeInto: (source, sourceBytes, target) => decoder.decodeInto(source, sourceBytes, target),
    encodeInto: (source, target) => encoder.encodeInto(source, target),
  };
}
