import { invariant } from '../../base/errors.ts';
import { frameSamples } from '../../base/units.ts';
import type { Codec } from '../codec.ts';
import { type AudioFormat, decodedSampleRateHz, frameBytes } from '../format.ts';

/** A packet of any codec is at most this long (RFC 6716 §2.1.4). */
export const PACKET_MS_MAX = 120;
const PACKET_FRAMES_MAX = 6;

/** Bytes to samples and back, one channel. */
export type Kernels = Pick<Codec, 'decodeInto' | 'encodeInto'>;

/** A codec whose frames are of constant size: kernels, and stereo around them where the format says so. */
export function openByteCodec(format: AudioFormat, kernels: Kernels): Codec {
  const samples = frameSamples(decodedSampleRateHz(format));
  const bytes = frameBytes(format);
  const packetSamplesMax = PACKET_FRAMES_MAX * samples;
  const { decodeInto, encodeInto } =
    format.channels === 2 ? stereo(kernels, samples, packetSamplesMax) : kernels;
  return {
    sampleRateHz: decodedSampleRateHz(format),
    frameSamples: samples,
    frameBytes: bytes,
    packetSamplesMax,
    packetBytesMax: bytes,
    decodeInto,
    encodeInto,
    close: () => {
      // Nothing is held outside the heap.
    },
  };
}

/** Two interleaved channels: heard as their average, sent as one said twice. 120 ms at most are read. */
function stereo(kernels: Kernels, samples: number, samplesMax: number): Kernels {
  const heard = new Int16Array(2 * samplesMax);
  const said = new Int16Array(2 * samples);
  return {
    decodeInto: (source, sourceBytes, target) => {
      const decoded = Math.min(kernels.decodeInto(source, sourceBytes, heard) >> 1, target.length);
      // Halves of a sum of two samples fit 16 bits: nothing is to be saturated.
      for (let i = 0; i < decoded; i++) target[i] = (heard[2 * i]! + heard[2 * i + 1]!) >> 1;
      return decoded;
    },
    encodeInto: (source, target) => {
      invariant(source.length === samples, 'stereo is encoded in whole frames');
      for (let i = 0; i < samples; i++) {
        said[2 * i] = source[i]!;
        said[2 * i + 1] = source[i]!;
      }
      return kernels.encodeInto(said, target);
    },
  };
}
