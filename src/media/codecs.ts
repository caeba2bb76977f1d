import { VoiceError } from '../base/errors.ts';
import { decodeAlawInto, decodeMulawInto, encodeAlawInto, encodeMulawInto } from './codecs/g711.ts';
import {
  decodeL16BigInto,
  decodeL16LittleInto,
  encodeL16BigInto,
  encodeL16LittleInto,
} from './codecs/l16.ts';
import type { Codec } from './codec.ts';
import { type AudioFormat, formatName, frameBytes } from './format.ts';

type Kernels = Pick<Codec, 'decodeInto' | 'encodeInto'>;

const SAMPLE_RATES_HZ: readonly number[] = [8000, 16_000];

const PCMU: Kernels = { decodeInto: decodeMulawInto, encodeInto: encodeMulawInto };
const PCMA: Kernels = { decodeInto: decodeAlawInto, encodeInto: encodeAlawInto };
const L16_LITTLE: Kernels = { decodeInto: decodeL16LittleInto, encodeInto: encodeL16LittleInto };
const L16_BIG: Kernels = { decodeInto: decodeL16BigInto, encodeInto: encodeL16BigInto };

/** Whether `openCodec` can serve this format: ask before a leg is accepted. */
export function isSupported(format: AudioFormat): boolean {
  return SAMPLE_RATES_HZ.includes(format.sampleRateHz) && kernelsOf(format) !== undefined;
}

/** The codec of one direction of one leg. Throws `unsupported_format` for what `isSupported` denies. */
export function openCodec(format: AudioFormat): Codec {
  const kernels = isSupported(format) ? kernelsOf(format) : undefined;
  if (kernels === undefined) {
    throw new VoiceError('unsupported_format', `no codec for ${formatName(format)}`, { field: 'format' });
  }
  return { sampleRateHz: format.sampleRateHz, frameBytes: frameBytes(format), ...kernels };
}

function kernelsOf(format: AudioFormat): Kernels | undefined {
  switch (format.codec) {
    case 'pcmu':
      return PCMU;
    case 'pcma':
      return PCMA;
    case 'l16':
      return format.littleEndian ? L16_LITTLE : L16_BIG;
    default:
      // A format may come from configuration or from a peer; the union is a promise of types only.
      return undefined;
  }
}
