import { describe, expect, it } from 'vitest';
import { impairmentOf } from '../../../src/media/quality/codec-impairments.ts';
import { mosOf, rFactorOf } from '../../../src/media/quality/e-model.ts';
import {
  QualityWindow,
  type QualityCounts,
  type QualityReport,
} from '../../../src/media/quality/quality-window.ts';

const GAUGES = { jitterMs: 4, bufferMs: 30, networkMs: 10 };
const NOTHING: QualityCounts = { playedFrames: 0, missingFrames: 0, missingRuns: 0, lateFrames: 0 };

describe('a quality window', () => {
  it('reports every ten seconds, however often it is fed', () => {
    const leg = openLeg();
    const reportsAtMs: number[] = [];
    for (let nowMs = 5200; nowMs <= 45_000; nowMs += 200) {
      if (leg.lives(200, {}, nowMs) !== undefined) reportsAtMs.push(nowMs);
    }
    expect(reportsAtMs).toEqual([15_000, 25_000, 35_000, 45_000]);
  });

  it('has nothing to complain about on a good line', () => {
    const report = openLeg().windowOf({});
    expect(report).toMatchObject({
      lossRatio: 0,
      lateRatio: 0,
      burstRatio: 1,
      jitterMs: 4,
      delayMs: 60,
      frames: 500,
    });
    expect(report.rFactor).toBeCloseTo(93.2 - 0.024 * 60, 9);
    expect(report.mos).toBe(mosOf(report.rFactor));
  });

  it('rates what was lost, and how it was lost', () => {
    const scattered = openLeg().windowOf({ missingFrames: 25, missingRuns: 24 });
    const bursts = openLeg().windowOf({ missingFrames: 25, missingRuns: 5 });
    const uncounted = openLeg().windowOf({ missingFrames: 25 });
    expect(scattered.lossRatio).toBe(0.05);
    expect(bursts.burstRatio).toBeCloseTo(5 * 0.95, 9);
    expect(bursts.rFactor).toBeLessThan(scattered.rFactor);
    expect(uncounted.burstRatio).toBe(1);
    expect(bursts.rFactor).toBeCloseTo(
      rFactorOf({ codec: impairmentOf('pcmu'), delayMs: 60, lossRatio: 0.05, burstRatio: 4.75 }),
      9,
    );
  });

  it('judges each window by itself, and the leg as a whole', () => {
    const leg = openLeg();
    const bad = leg.windowOf({ missingFrames: 100, missingRuns: 20, lateFrames: 50 });
    const good = leg.windowOf({});
    expect(bad).toMatchObject({ lossRatio: 0.2, lateRatio: 0.1 });
    expect(good).toMatchObject({ lossRatio: 0, lateRatio: 0, burstRatio: 1 });
    expect(leg.window.whole()).toMatchObject({ lossRatio: 0.1, lateRatio: 0.05, frames: 1000 });
  });

  it('takes the mean of delay and jitter over the window', () => {
    const window = new QualityWindow({ codec: 'opus', startedAtMs: 0 });
    window.observe(1000, { ...NOTHING, playedFrames: 50 }, { jitterMs: 0, bufferMs: 0, networkMs: 20 });
    const report = window.observe(10_000, { ...NOTHING, playedFrames: 500 }, { ...GAUGES, networkMs: 20 });
    expect(report).toMatchObject({ jitterMs: 2, delayMs: 20 + 6.5 + 15 + 20 });
  });

  it('is silent over a window in which nothing was to be played', () => {
    const leg = openLeg();
    leg.windowOf({});
    expect(leg.lives(10_000, { playedFrames: 0 })).toBeUndefined();
    expect(leg.window.whole()).toMatchObject({ frames: 500 });
    expect(new QualityWindow({ codec: 'pcmu', startedAtMs: 0 }).whole()).toBeUndefined();
  });

  it('reports a stall of several windows once, and is in step afterwards', () => {
    const leg = openLeg();
    expect(leg.lives(37_000, { playedFrames: 1850 })).toMatchObject({ frames: 1850 });
    expect(leg.lives(2900, { playedFrames: 145 })).toBeUndefined();
    expect(leg.lives(100, { playedFrames: 5 })).toMatchObject({ frames: 150 });
  });

  it('goes on when the leg came back and counts from 0 again', () => {
    const leg = openLeg();
    leg.windowOf({ missingFrames: 100 });
    leg.counts = NOTHING;
    expect(leg.lives(10_000, { playedFrames: 450, missingFrames: 50 })).toMatchObject({
      lossRatio: 0.1,
      frames: 500,
    });
    expect(leg.window.whole()).toMatchObject({ lossRatio: 0.15, frames: 1000 });
  });

  it('ends early with the leg, and begins anew', () => {
    const leg = openLeg();
    leg.lives(3000, { playedFrames: 150 });
    expect(leg.window.endWindow()).toMatchObject({ frames: 150 });
    expect(leg.window.endWindow()).toBeUndefined();
  });
});

/** A leg that began at 5000 and counts what happens to it. */
function openLeg() {
  const window = new QualityWindow({ codec: 'pcmu', startedAtMs: 5000 });
  let clockMs = 5000;
  const leg = {
    window,
    counts: NOTHING,
    /** Feeds what happened in the last `forMs`; 50 frames a second unless told. */
    lives(
      forMs: number,
      happened: Partial<QualityCounts>,
      nowMs = clockMs + forMs,
    ): QualityReport | undefined {
      const { counts } = leg;
      clockMs = nowMs;
      const missingFrames = happened.missingFrames ?? 0;
      leg.counts = {
        playedFrames: counts.playedFrames + (happened.playedFrames ?? forMs / 20 - missingFrames),
        missingFrames: counts.missingFrames + missingFrames,
        missingRuns: counts.missingRuns + (happened.missingRuns ?? 0),
        lateFrames: counts.lateFrames + (happened.lateFrames ?? 0),
      };
      return window.observe(nowMs, leg.counts, GAUGES);
    },
    windowOf(happened: Partial<QualityCounts>): QualityReport {
      const report = leg.lives(10_000, happened);
      if (report === undefined) throw new Error('a whole window brought no report');
      return report;
    },
  };
  return leg;
}
