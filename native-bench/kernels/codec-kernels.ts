import { openCodec } from '../../src/media/codecs.ts';
import { loadOpus, openOpus } from '../../src/media/codecs/opus/opus.ts';
import { OggOpusWriter } from '../../src/media/containers/ogg-opus-writer.ts';
import { G722Decoder, G722Encoder } from '../../src/media/codecs/g722/g722.ts';
import type { Codec } from '../../src/media/codec.ts';
import type { Speech } from '../load/speech.ts';
import type { Kernel } from './measure.ts';

const FRAMES = 200;

/** The codecs that hold state: each call is a frame of one long stream. */
export async function codecKernels({ samples }: Speech): Promise<Kernel[]> {
  await loadOpus();
  const wideband = cut(twice(samples), 320);
  const narrowband = cut(samples, 160);
  return [
    ...g722Kernels(wideband),
    stereoKernel(),
    ...opusKernels(16_000, wideband),
    ...opusKernels(8000, narrowband),
    oggKernel(),
  ];
}

function g722Kernels(frames: readonly Int16Array[]): Kernel[] {
  const encoder = new G722Encoder();
  const decoder = new G722Decoder();
  const wire = new Uint8Array(160);
  const heard = new Int16Array(320);
  const packets = frames.map((frame) => {
    new G722Encoder().encodeInto(frame, wire);
    return wire.slice();
  });
  return [
    { name: 'G.722 decode, 320', run: (i) => decoder.decodeInto(at(packets, i), 160, heard) },
    { name: 'G.722 encode, 320', run: (i) => encoder.encodeInto(at(frames, i), wire) },
  ];
}

function stereoKernel(): Kernel {
  const format = { codec: 'l16', sampleRateHz: 16_000, littleEndian: true } as const;
  const mono = openCodec(format);
  const stereo = openCodec({ ...format, channels: 2 });
  const wire = new Uint8Array(stereo.frameBytes);
  const heard = new Int16Array(stereo.frameSamples);
  return {
    name: 'L16 stereo decode, 320',
    run: () => stereo.decodeInto(wire, wire.length, heard),
    peer: { name: 'mono', run: () => mono.decodeInto(wire, mono.frameBytes, heard) },
  };
}

function opusKernels(sampleRateHz: number, frames: readonly Int16Array[]): Kernel[] {
  const packets = packetsOf(frames, sampleRateHz);
  const khz = sampleRateHz / 1000;
  const decoder = openOpus(sampleRateHz);
  const losing = openOpus(sampleRateHz);
  const heard = new Int16Array(decoder.packetSamplesMax);
  const decode = (codec: Codec, i: number): number => {
    const packet = at(packets, i);
    return codec.decodeInto(packet, packet.length, heard);
  };
  return [
    { name: `Opus decode, ${khz} kHz`, run: (i) => decode(decoder, i) },
    {
      name: `Opus decode + conceal one of two, ${khz} kHz`,
      run: (i) => (i % 2 === 0 ? decode(losing, i) : losing.concealInto!(heard)),
    },
    recoverKernel(packets, sampleRateHz),
    {
      name: `Opus encode, ${khz} kHz`,
      run: encodeWith(openOpus(sampleRateHz), frames),
      peer: { name: 'in the sandbox', run: encodeWith(openOpus(sampleRateHz, { encoder: 'wasm' }), frames) },
    },
  ];
}

function recoverKernel(packets: readonly Uint8Array[], sampleRateHz: number): Kernel {
  const codec = openOpus(sampleRateHz);
  const heard = new Int16Array(codec.packetSamplesMax);
  return {
    name: `Opus recover from FEC + decode, ${sampleRateHz / 1000} kHz`,
    run: (i) => {
      const packet = at(packets, i);
      codec.recoverInto!(packet, packet.length, heard);
      codec.decodeInto(packet, packet.length, heard);
    },
  };
}

function encodeWith(codec: Codec, frames: readonly Int16Array[]): (index: number) => void {
  const wire = new Uint8Array(codec.packetBytesMax);
  return (i) => {
    codec.encodeInto(at(frames, i), wire);
  };
}

function packetsOf(frames: readonly Int16Array[], sampleRateHz: number): Uint8Array[] {
  const codec = openOpus(sampleRateHz, { fec: true, lossPercent: 10 });
  const wire = new Uint8Array(codec.packetBytesMax);
  const packets = frames.map((frame) => wire.slice(0, codec.encodeInto(frame, wire)));
  codec.close();
  return packets;
}

function oggKernel(): Kernel {
  const writer = new OggOpusWriter({ serial: 1, inputSampleRateHz: 16_000 });
  const packet = new Uint8Array(60);
  return { name: 'Ogg Opus, a packet of 60 bytes', run: () => writer.write(packet, packet.length, 20) };
}

function cut(samples: Int16Array, frameSamples: number): Int16Array[] {
  return Array.from({ length: FRAMES }, (_, frame) =>
    Int16Array.from(
      { length: frameSamples },
      (__, i) => samples[(frame * frameSamples + i) % samples.length]!,
    ),
  );
}

/** At twice the rate, by the mean of neighbours: how it sounds matters less than that it is speech. */
function twice(samples: Int16Array): Int16Array {
  return Int16Array.from({ length: 2 * samples.length }, (_, i) =>
    i % 2 === 0 ? samples[i >> 1]! : (samples[i >> 1]! + (samples[(i >> 1) + 1] ?? 0)) >> 1,
  );
}

function at<T>(values: readonly T[], index: number): T {
  return values[index % values.length]!;
}
