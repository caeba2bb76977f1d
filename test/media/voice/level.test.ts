import { describe, expect, it } from 'vitest';
import { LEVEL_FLOOR_DBFS, meanSquare, meanSquareOf, rmsDbfs } from '../../../src/media/voice/level.ts';

const LOUDEST = new Int16Array(160).map((_, i) => (i % 2 === 0 ? -32_768 : 32_767));
const SINE = Int16Array.from({ length: 160 }, (_, i) =>
  Math.round(16_384 * Math.sin((2 * Math.PI * i) / 16)),
);

describe('a level', () => {
  it('is 0 dBFS for the loudest square wave', () => {
    expect(rmsDbfs(LOUDEST)).toBeCloseTo(0, 3);
  });

  it('of a sine of half the scale lies 3 dB below its peak of -6 dBFS', () => {
    expect(rmsDbfs(SINE)).toBeCloseTo(-9.03, 2);
  });

  it('stops at a floor where there is no sound or no sample', () => {
    expect(rmsDbfs(new Int16Array(160))).toBe(LEVEL_FLOOR_DBFS);
    expect(rmsDbfs(new Int16Array(0))).toBe(LEVEL_FLOOR_DBFS);
  });

  it('is compared as a mean square, which a small integer holds at any loudness', () => {
    expect(meanSquare(new Int16Array(80).fill(-32_768))).toBe(2 ** 30);
    expect(meanSquareOf(0)).toBe(2 ** 30);
    expect(meanSquare(new Int16Array(80).fill(100))).toBe(10_000);
    expect(meanSquare(SINE)).toBeGreaterThan(meanSquareOf(-9.1));
    expect(meanSquare(SINE)).toBeLessThan(meanSquareOf(-9));
  });
});
