import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { writeWav } from '../../src/media/wav.ts';
import { findFfmpeg, transcode } from '../../src/node/transcoder.ts';
import { FakeClock } from '../fakes/clock.ts';

const LIMITS = { durationMsMax: 10_000, timeoutMs: 30_000, clock: systemClock };
const tone = Int16Array.from({ length: 88_200 }, (_, i) => 8000 * Math.sin((2 * Math.PI * 440 * i) / 44_100));
const wav = writeWav(tone, 44_100);

function fileOf(...format: string[]): Uint8Array {
  return execFileSync('ffmpeg', ['-v', 'error', '-i', 'pipe:0', ...format, 'pipe:1'], { input: wav });
}

describe('a file that FFmpeg reads', () => {
  it('is found to be read by some FFmpeg', () => {
    expect(findFfmpeg()).toMatch(/^\d/);
  });

  it.each([
    ['wav', []],
    ['mp3', ['-f', 'mp3']],
    ['flac', ['-f', 'flac']],
    ['ogg', ['-c:a', 'libopus', '-f', 'ogg']],
    ['aac', ['-f', 'adts']],
  ] as const)('is mono samples at the rate wanted: %s', async (_, format) => {
    const file = format.length === 0 ? wav : fileOf(...format);
    const samples = await transcode(file, 16_000, LIMITS);
    expect(Math.abs(samples.length - 32_000)).toBeLessThan(1600);
    const middle = samples.subarray(8000, 24_000);
    const level = Math.sqrt(middle.reduce((sum, sample) => sum + sample ** 2, 0) / middle.length);
    expect(level).toBeGreaterThan(0.9 * 8000 * Math.SQRT1_2);
    expect(level).toBeLessThan(1.1 * 8000 * Math.SQRT1_2);
  });

  it('is cut off where it is longer than allowed', async () => {
    expect((await transcode(wav, 8000, { ...LIMITS, durationMsMax: 500 })).length).toBe(4000);
  });

  it('is refused where it holds no sound', async () => {
    for (const file of [new Uint8Array(0), Buffer.from('no sound at all'), wav.subarray(0, 30)]) {
      await expect(transcode(file, 8000, LIMITS)).rejects.toMatchObject({ code: 'unsupported_format' });
    }
  });

  it('may name other files, which are not opened', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'transcoder-'));
    try {
      const secret = join(folder, 'secret.wav');
      writeFileSync(secret, wav);
      for (const playlist of [
        `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://${secret}\n#EXT-X-ENDLIST\n`,
        `ffconcat version 1.0\nfile ${secret}\n`,
      ]) {
        const reading = transcode(Buffer.from(playlist), 8000, LIMITS);
        await expect(reading).rejects.toMatchObject({ code: 'unsupported_format' });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is given up when it takes too long', async () => {
    const clock = new FakeClock();
    const reading = transcode(wav, 8000, { ...LIMITS, timeoutMs: 1000, clock });
    clock.advance(1000);
    await expect(reading).rejects.toThrow(/longer than 1000 ms/);
  });
});
