import { describe, expect, it } from 'vitest';
import { Limiter } from '../../../src/media/mixer/limiter.ts';
import { sine } from '../conceal/sounds.ts';

const FRAME = 160;

describe('a limiter', () => {
  it('leaves alone what fits, to the last bit', () => {
    const limiter = new Limiter();
    const sum = Float32Array.from({ length: FRAME }, (_, i) => (i % 2 === 0 ? 32_767 : -32_768));
    const target = new Int16Array(FRAME);
    limiter.limitInto(sum, target);
    expect([...target]).toEqual([...sum]);
    expect(limiter.stats.limitedFrames).toBe(0);
  });

  it('turns a sum of three times full scale down to what fits, and cuts off only at its first moment', () => {
    const limiter = new Limiter();
    const heard = limited(limiter, 3, 10);
    expect(limiter.stats.limitedFrames).toBe(10);
    expect(limiter.stats.saturatedSamples).toBeGreaterThan(0);
    expect(limiter.stats.saturatedSamples).toBeLessThan(FRAME / 4);
    // A tone of 400 Hz in whole periods a frame: behind the first frame it is the tone again, not a square.
    const tone = sine(8000, 400, FRAME, 32_767);
    for (let frame = 1; frame < 10; frame++) {
      for (let i = 0; i < FRAME; i++) expect(Math.abs(heard[frame * FRAME + i]! - tone[i]!)).toBeLessThan(3);
    }
  });

  it('lets up slowly, and then passes every bit again', () => {
    const limiter = new Limiter();
    limited(limiter, 2, 3);
    const afterwards = limited(limiter, 0.5, 20);
    const peaks = Array.from({ length: 20 }, (_, frame) =>
      Math.max(...afterwards.subarray(frame * FRAME, (frame + 1) * FRAME)),
    );
    for (let frame = 1; frame < 20; frame++) expect(peaks[frame]).toBeGreaterThanOrEqual(peaks[frame - 1]!);
    expect(peaks[0]).toBeLessThan(0.56 * 16_384);
    expect(afterwards.subarray(15 * FRAME)).toEqual(limited(new Limiter(), 0.5, 5));
  });

  it('forgets at a reset', () => {
    const limiter = new Limiter();
    limited(limiter, 4, 2);
    limiter.reset();
    expect(limited(limiter, 0.5, 2)).toEqual(limited(new Limiter(), 0.5, 2));
  });

  it('never wraps, however loud it becomes at once', () => {
    const limiter = new Limiter();
    const target = new Int16Array(FRAME);
    for (const scale of [0.1, 500, 0.1, 3, 512]) {
      const sum = Float32Array.from(sine(8000, 400, FRAME, 32_767), (sample) => scale * sample);
      limiter.limitInto(sum, target);
      for (let i = 0; i < FRAME; i++)
        expect(Math.sign(target[i]!) * Math.sign(sum[i]!)).toBeGreaterThanOrEqual(0);
    }
  });
});

function limited(limiter: Limiter, scale: number, frames: number): Int16Array {
  const sum = Float32Array.from(sine(8000, 400, FRAME, 32_767), (sample) => scale * sample);
  const heard = new Int16Array(frames * FRAME);
  for (let frame = 0; frame < frames; frame++) {
    limiter.limitInto(sum, heard.subarray(frame * FRAME, (frame + 1) * FRAME));
  }
  return heard;
}
