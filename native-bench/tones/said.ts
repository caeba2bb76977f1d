import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seedOf } from '../vad/dice.ts';
import { activeRms, ACTIVE_DBFS } from '../vad/labels.ts';
import { ratioOf, scale } from '../vad/levels.ts';

const RATE_HZ = 8000;
const FOLDER = join(tmpdir(), 'omnivoice-said');

/** Who says what, how fast and how high: one of espeak-ng's voices. */
export interface Saying {
  readonly text: string;
  readonly voice: string;
  readonly wordsPerMinute: number;
  readonly pitch: number;
}

/** A sentence at 8 kHz, its active level at `ACTIVE_DBFS`; made once and kept. Needs espeak-ng and ffmpeg. */
export function said({ text, voice, wordsPerMinute, pitch }: Saying): Float32Array {
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, `${seedOf(text, voice, wordsPerMinute, pitch)}.pcm`);
  if (!existsSync(path)) {
    const options = ['-v', voice, '-s', String(wordsPerMinute), '-p', String(pitch), '--stdout', text];
    const wav = execFileSync('espeak-ng', options, { maxBuffer: 2 ** 26 });
    const pcm = ['-f', 's16le', '-ac', '1', '-ar', String(RATE_HZ)];
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', '-', ...pcm, path], { input: wav });
  }
  const pcm = readFileSync(path);
  const samples = Float32Array.from({ length: pcm.length >> 1 }, (_, i) => pcm.readInt16LE(2 * i) / 32_768);
  scale(samples, ratioOf(ACTIVE_DBFS) / activeRms(samples, RATE_HZ / 100));
  return samples;
}
