import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

// A number that escapes to the heap takes 12 bytes or more. What remains below is the edges themselves, a
// few for every hundred frames, and what the machine notes down about the code.
const BYTES_PER_FRAME_MAX = 6;
// The adaptive buffer has more code to note things down about, and still less than one number a frame.
const ADAPTIVE_BYTES_PER_FRAME_MAX = 10;

it('the way of a frame through the media room allocates nothing', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    // Nothing is collected before 64 MiB have been allocated, so growth of the heap is allocation.
    '--min-semi-space-size=64',
    '--max-semi-space-size=64',
    resolve(import.meta.dirname, '../fakes/media-pipeline.ts'),
  ]);
  const grown = JSON.parse(stdout) as Record<string, number>;
  const { atTarget0, atTarget60, unclocked, adaptive, heardEdges, playedFrames } = grown;
  expect(heardEdges).toBeGreaterThan(100);
  expect(playedFrames).toBeGreaterThan(100_000);
  expect(atTarget0).toBeLessThan(BYTES_PER_FRAME_MAX);
  expect(atTarget60).toBeLessThan(BYTES_PER_FRAME_MAX);
  expect(unclocked).toBeLessThan(ADAPTIVE_BYTES_PER_FRAME_MAX);
  expect(adaptive).toBeLessThan(ADAPTIVE_BYTES_PER_FRAME_MAX);
});
