import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { encodeAlawInto, encodeMulawInto } from '../../src/media/codecs/g711.ts';
import { readWav } from '../../src/media/wav.ts';

export const FRAME_SAMPLES = 160;
export const FRAME_MS = 20;

/** The repository's speech sample, as every party of every bench speaks it. */
export interface Speech {
  readonly samples: Int16Array;
  readonly mulaw: Uint8Array;
  readonly alaw: Uint8Array;
  /** µ-law frames as base64 text, as they stand in a message. */
  readonly payloads: readonly Buffer[];
}

export function readSpeech(): Speech {
  const wav = readWav(readFileSync(resolve(import.meta.dirname, '../../samples/hello.wav')));
  if (!('samples' in wav)) throw new Error(wav.detail);
  const samples = wav.samples.subarray(0, wav.samples.length - (wav.samples.length % FRAME_SAMPLES));
  const mulaw = new Uint8Array(samples.length);
  const alaw = new Uint8Array(samples.length);
  encodeMulawInto(samples, mulaw);
  encodeAlawInto(samples, alaw);
  // Both codes of zero decode alike, so 0x7f would come back as 0xff: nobody says it, and echoes are exact.
  for (let i = 0; i < mulaw.length; i++) if (mulaw[i] === 0x7f) mulaw[i] = 0xff;
  return { samples, mulaw, alaw, payloads: payloadsOf(mulaw) };
}

function payloadsOf(codes: Uint8Array): Buffer[] {
  return Array.from({ length: codes.length / FRAME_SAMPLES }, (_, frame) =>
    Buffer.from(
      Buffer.from(codes.buffer, codes.byteOffset + frame * FRAME_SAMPLES, FRAME_SAMPLES).toString('base64'),
    ),
  );
}
