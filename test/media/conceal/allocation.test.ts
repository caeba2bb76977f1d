import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

// A number that escapes to the heap takes 12 bytes or more, as in test/media/allocation.test.ts.
const BYTES_PER_FRAME_MAX = 6;

it('concealing and stretching allocate nothing', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--min-semi-space-size=64',
    '--max-semi-space-size=64',
    resolve(import.meta.dirname, 'lossy-frames.ts'),
  ]);
  const found = JSON.parse(stdout) as Record<string, number>;
  expect(found['gaps']).toBeGreaterThan(3000);
  expect(found['stretched']).toBeGreaterThan(10_000);
  expect(found['refused']).toBeGreaterThan(1000);
  expect(found['concealing']).toBeLessThan(BYTES_PER_FRAME_MAX);
  expect(found['stretching']).toBeLessThan(BYTES_PER_FRAME_MAX);
});
