import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWav, type WavAudio } from '../../src/media/wav.ts';

const MIN_SECONDS = 2;

export interface Recording extends WavAudio {
  readonly name: string;
}

/** Spoken recordings below a folder, evenly spread over its list, until there are `seconds` of them. */
export function readRecordings(folder: string, seconds: number): Recording[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.wav') && !/tone|beep|silence|music/.test(name))
    .toSorted();
  const all = names.flatMap((name) => readRecording(folder, name));
  const total = all.reduce((sum, { samples, sampleRateHz }) => sum + samples.length / sampleRateHz, 0);
  const step = Math.max(1, total / seconds);
  return all.filter((_, index) => Math.floor((index + 1) / step) > Math.floor(index / step));
}

function readRecording(folder: string, name: string): Recording[] {
  const wav = readWav(readFileSync(join(folder, name)));
  if (!('samples' in wav) || wav.samples.length < MIN_SECONDS * wav.sampleRateHz) return [];
  return [{ ...wav, name }];
}
