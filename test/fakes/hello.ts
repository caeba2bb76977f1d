import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readWav, type WavAudio } from '../../src/media/wav.ts';

/** The speech sample of the repository: two sentences with digital silence around them, 8 kHz. */
export function readHello(): WavAudio {
  const hello = readWav(readFileSync(resolve(import.meta.dirname, '../../samples/hello.wav')));
  if (!('samples' in hello)) throw new Error(hello.detail);
  return hello;
}
