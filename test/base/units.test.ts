import { describe, expect, it } from 'vitest';
import { frameSamples, msToSamples } from '../../src/base/units.ts';

describe('a conversion that must be exact', () => {
  it('gives whole samples', () => {
    expect(msToSamples(20, 8000)).toBe(160);
    expect(frameSamples(16_000)).toBe(320);
  });

  it('says so where there are none', () => {
    expect(() => msToSamples(1.3, 8000)).toThrow('not whole samples');
  });
});
