import { describe, expect, it } from 'vitest';
import { mosOf } from '../../../src/media/quality/e-model.ts';
import { DEFAULT_QUALITY_EDGES, QualityEdges } from '../../../src/media/quality/quality-edges.ts';
import type { QualityReport } from '../../../src/media/quality/quality-window.ts';

describe('quality edges', () => {
  it('tell once that a leg is degraded, and once that it has recovered', () => {
    const edges = new QualityEdges();
    expect(told(edges, [90, 60, 55, 60])).toEqual(['-', 'degraded', '-', '-']);
    expect(edges.isDegraded).toBe(true);
    expect(told(edges, [90, 90, 90])).toEqual(['-', 'recovered', '-']);
    expect(edges.isDegraded).toBe(false);
  });

  it('do not chatter while a leg is on the brink', () => {
    // R of 69 and 72 lie on both sides of MOS 3.6, and none of them beyond 3.8.
    expect(told(new QualityEdges(), [72, 69, 72, 69, 72, 69])).toEqual(['-', 'degraded', '-', '-', '-', '-']);
    expect(told(new QualityEdges(), [72, 73, 72])).toEqual(['-', '-', '-']);
  });

  it('want the good windows in a row', () => {
    const seen = told(new QualityEdges(), [60, 90, 72, 90, 60, 90, 90]);
    expect(seen).toEqual(['degraded', '-', '-', '-', '-', '-', 'recovered']);
  });

  it('want as many bad windows in a row as they are told', () => {
    const edges = new QualityEdges({ ...DEFAULT_QUALITY_EDGES, degradeWindows: 3 });
    expect(told(edges, [60, 60, 90, 60, 60, 60])).toEqual(['-', '-', '-', '-', '-', 'degraded']);
  });

  it('see loss and lateness, too, whatever the score', () => {
    expect(new QualityEdges().judge(windowOf(90, { lossRatio: 0.06 }))).toBe('degraded');
    expect(new QualityEdges().judge(windowOf(90, { lateRatio: 0.06 }))).toBe('degraded');
    expect(new QualityEdges().judge(windowOf(90, { lossRatio: 0.05, lateRatio: 0.05 }))).toBeUndefined();
    const edges = new QualityEdges();
    edges.judge(windowOf(90, { lossRatio: 0.06 }));
    for (let i = 0; i < 5; i++) expect(edges.judge(windowOf(90, { lossRatio: 0.03 }))).toBeUndefined();
    edges.judge(windowOf(90, { lossRatio: 0.02 }));
    expect(edges.judge(windowOf(90, {}))).toBe('recovered');
  });

  it('decide nothing by a handful of frames', () => {
    const edges = new QualityEdges();
    expect(edges.judge(windowOf(20, { frames: 99 }))).toBeUndefined();
    expect(edges.judge(windowOf(20, { frames: 100 }))).toBe('degraded');
  });

  it('refuse limits under which a leg would recover and degrade at once', () => {
    const { degraded, recovered } = DEFAULT_QUALITY_EDGES;
    const swapped = { ...DEFAULT_QUALITY_EDGES, degraded: recovered, recovered: degraded };
    expect(() => new QualityEdges(swapped)).toThrow('degraded at once');
    expect(() => new QualityEdges({ ...DEFAULT_QUALITY_EDGES, recoverWindows: 0 })).toThrow(
      'a window at least',
    );
  });
});

function told(edges: QualityEdges, rFactors: readonly number[]): string[] {
  return rFactors.map((rFactor) => edges.judge(windowOf(rFactor, {})) ?? '-');
}

function windowOf(rFactor: number, wish: Partial<QualityReport>): QualityReport {
  const even = { lossRatio: 0, lateRatio: 0, burstRatio: 1, jitterMs: 0, delayMs: 0, frames: 500 };
  return { rFactor, mos: mosOf(rFactor), ...even, ...wish };
}
