import { describe, expect, it } from 'vitest';
import { DepthControl, type DepthStep } from '../../../src/media/jitter/depth-control.ts';

/** What is done at each of so many reads that find the same depth; what is done takes effect. */
function stepsAt(control: DepthControl, spareMs: number, reads: number, driftPpm = 0): DepthStep[] {
  return Array.from({ length: reads }, () => {
    const step = control.next(spareMs, driftPpm);
    if (step === 'lengthen') control.grew();
    else if (step !== 'play') control.shrank();
    return step;
  });
}

describe('the depth of a jitter buffer', () => {
  it('stays while it is on target, or a frame above it', () => {
    for (const spareMs of [0, 10, 21]) {
      expect(new Set(stepsAt(new DepthControl(), spareMs, 50))).toEqual(new Set(['play']));
    }
  });

  it('follows at every third read, every other one far off, and at each where a backlog is long', () => {
    expect(stepsAt(new DepthControl(), 25, 6)).toEqual([
      'play',
      'play',
      'shorten',
      'play',
      'play',
      'shorten',
    ]);
    expect(stepsAt(new DepthControl(), 60, 4)).toEqual(['play', 'shorten', 'play', 'shorten']);
    expect(stepsAt(new DepthControl(), 900, 2)).toEqual(['rush', 'rush']);
    expect(stepsAt(new DepthControl(), -25, 3)).toEqual(['play', 'play', 'lengthen']);
  });

  it('does not shrink for two seconds once it had to grow, unless it is far too deep', () => {
    const control = new DepthControl();
    control.starved();
    expect(new Set(stepsAt(control, 25, 99))).toEqual(new Set(['play']));
    expect(control.next(25, 0)).toBe('shorten');
    control.starved();
    control.grew();
    expect(stepsAt(control, 61, 2)).toEqual(['play', 'shorten']);
  });

  it('meets a sender whose clock is slow before it is missed', () => {
    expect(stepsAt(new DepthControl(), 1, 3)).not.toContain('lengthen');
    expect(stepsAt(new DepthControl(), 1, 3, -50)).toContain('lengthen');
  });
});
