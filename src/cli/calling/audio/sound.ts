import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { messageOf, VoiceError } from '../../../base/errors.ts';
import { FRAME_MS } from '../../../base/units.ts';
import { openCodec } from '../../../media/codecs.ts';
import { decodedSampleRateHz, type AudioFormat } from '../../../media/format.ts';
import { readWav } from '../../../media/wav.ts';
import { resample } from './resample.ts';

/** A recording as a caller sends it: whole frames of codec bytes, shared by all who play it. */
export interface Sound {
  readonly name: string;
  readonly format: AudioFormat;
  readonly frames: readonly Uint8Array[];
  /** A frame in which nobody speaks. */
  readonly silence: Uint8Array;
}

/** Reads a WAV file and encodes it for the wire, at the rate of the wire. */
export function loadSound(file: string, format: AudioFormat): Sound {
  const wav = readWav(readBytes(file));
  if ('type' in wav) throw new VoiceError('invalid_argument', `${file}: ${wav.detail}`);
  if (wav.samples.length === 0) throw new VoiceError('invalid_argument', `${file} holds no sound`);
  const samples = resample(wav.samples, wav.sampleRateHz, decodedSampleRateHz(format));
  return soundOf(basename(file), samples, format);
}

/** Samples as a sound; the last frame is filled up with silence. */
export function soundOf(name: string, samples: Int16Array, format: AudioFormat): Sound {
  const codec = openCodec(format);
  const length = codec.frameSamples;
  const encode = (piece: Int16Array): Uint8Array => {
    const whole = new Int16Array(length);
    whole.set(piece);
    const bytes = new Uint8Array(codec.packetBytesMax);
    return bytes.slice(0, codec.encodeInto(whole, bytes));
  };
  const frames = Array.from({ length: Math.ceil(samples.length / length) }, (_, i) =>
    encode(samples.subarray(i * length, (i + 1) * length)),
  );
  const silence = encode(new Int16Array(0));
  codec.close();
  return { name, format, frames, silence };
}

/** How long it plays. */
export function durationMsOf(sound: Sound): number {
  return sound.frames.length * FRAME_MS;
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new VoiceError('invalid_argument', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}
