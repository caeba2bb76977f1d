import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

// A number that escapes to the heap takes 12 bytes or more, as in test/media/allocation.test.ts.
const BYTES_PER_FRAME_MAX = 6;
// Voices that sound like keys for a moment are looked at by code that is seldom run.
const KEYS_BYTES_PER_FRAME_MAX = 10;

it('hearing and saying tones allocates nothing', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--min-semi-space-size=64',
    '--max-semi-space-size=64',
    resolve(import.meta.dirname, 'tone-frames.ts'),
  ]);
  const found = JSON.parse(stdout) as Record<string, number>;
  expect(found['told']).toBeGreaterThan(20);
  expect(found['keys']).toBeLessThan(KEYS_BYTES_PER_FRAME_MAX);
  expect(found['tones']).toBeLessThan(BYTES_PER_FRAME_MAX);
  expect(found['saying']).toBeLessThan(BYTES_PER_FRAME_MAX);
});
