import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

// A number that escapes to the heap takes 12 bytes or more, as in test/media/allocation.test.ts.
const BYTES_PER_FRAME_MAX = 6;

it('resampling and mixing allocate nothing', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--min-semi-space-size=64',
    '--max-semi-space-size=64',
    resolve(import.meta.dirname, 'busy-frames.ts'),
  ]);
  const found = JSON.parse(stdout) as Record<string, number>;
  expect(found['limitedFrames']).toBeGreaterThan(1000);
  // 50 000 frames of 20 ms are 11 025 000 samples of 11 025 Hz.
  expect(found['oddSamples']).toBe(11_025_000);
  expect(found['resampling']).toBeLessThan(BYTES_PER_FRAME_MAX);
  expect(found['mixing']).toBeLessThan(BYTES_PER_FRAME_MAX);
  expect(found['changing']).toBeLessThan(BYTES_PER_FRAME_MAX);
});
