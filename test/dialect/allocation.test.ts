import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { DIALECTS } from '../../src/dialect/registry.ts';

// Both ways through every dialect, and the provider's side beside them. An object is 16 bytes at least; what
// is left of a byte is the compiler's own.
it('allocates nothing per frame of audio', () => {
  const script = resolve(import.meta.dirname, 'allocation.ts');
  const youngGeneration = ['--min-semi-space-size=128', '--max-semi-space-size=128'];
  const report = JSON.parse(
    execFileSync(process.execPath, [...youngGeneration, script], { encoding: 'utf8' }),
  ) as Record<string, number>;
  expect(Object.keys(report)).toHaveLength(2 * (DIALECTS.length + 1));
  expect(Object.entries(report).filter(([, bytesPerFrame]) => bytesPerFrame > 8)).toEqual([]);
});
