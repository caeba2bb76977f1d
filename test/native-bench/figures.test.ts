import { describe, expect, it } from 'vitest';
import { distributionOf, Samples } from '../../native-bench/load/distribution.ts';
import { binnedBetween, Exposition } from '../../native-bench/scene/exposition.ts';
import { causeOf, faultsOf, trace, type Told } from '../../native-bench/scene/hook-figures.ts';

function told(sequence: number, type: string, more: Partial<Told> = {}): Told {
  const id = `evt_${sequence}`;
  return {
    id,
    type,
    sequence,
    callId: 'call_1',
    callSid: 'CAx0',
    mediaMs: null,
    gapMs: null,
    arrivedAtMs: 100,
    ...more,
  };
}

describe('a distribution', () => {
  it('names values that were really measured', () => {
    const values = Array.from({ length: 1000 }, (_, i) => 1000 - i);
    expect(distributionOf(values)).toEqual({
      count: 1000,
      p50: 500,
      p95: 950,
      p99: 990,
      p999: 999,
      max: 1000,
    });
  });

  it('of nothing has no quantiles', () => {
    expect(distributionOf([])).toMatchObject({ count: 0, p50: null, max: null });
  });

  it('counts only what was pushed', () => {
    const samples = new Samples();
    for (const value of [3, 1, 2]) samples.push(value);
    expect(samples.distribution()).toMatchObject({ count: 3, p50: 2, max: 3 });
  });
});

describe('a hook', () => {
  it('is traced to the frame that ends at its media time', () => {
    expect(causeOf(told(4, 'voice_detected', { mediaMs: 540 }))).toBe(26);
  });

  it('of a beginning is caused by the start, of an end by the stop', () => {
    expect(causeOf(told(1, 'call_started'))).toBe('start');
    expect(causeOf(told(2, 'leg_connected'))).toBe('start');
    expect(causeOf(told(9, 'call_completed'))).toBe('stop');
  });

  it('is timed by its first arrival', () => {
    const twice = [
      told(1, 'call_started', { arrivedAtMs: 105 }),
      told(1, 'call_started', { arrivedAtMs: 900 }),
    ];
    expect(trace(twice, [100, 100]).map(({ latencyMs }) => latencyMs)).toEqual([5]);
  });
});

describe('the hooks of a call', () => {
  const whole = [told(1, 'call_started'), told(2, 'call_completed'), told(3, 'call_analyzed')];
  const faults = (all: readonly Told[], causedAtMs = 90) =>
    faultsOf(
      all,
      trace(
        all,
        all.map(() => causedAtMs),
      ),
    );

  it('are without fault when each number came once and in order', () => {
    expect(faults(whole)).toEqual({
      callsTold: 1,
      events: 3,
      repeats: 0,
      outOfOrder: 0,
      missing: 0,
      untraced: 0,
    });
  });

  it('show a hole, a missing end, a wrong order, a repeat and a cause nobody sent', () => {
    expect(faults([whole[0]!, whole[2]!])).toMatchObject({ missing: 1 });
    expect(faults(whole.slice(0, 2))).toMatchObject({ missing: 1 });
    expect(faults([whole[1]!, whole[0]!, whole[2]!])).toMatchObject({ outOfOrder: 1, missing: 0 });
    expect(faults([...whole, whole[1]!])).toMatchObject({ repeats: 1, outOfOrder: 0 });
    expect(faults(whole, Number.NaN)).toMatchObject({ untraced: 3 });
  });
});

describe('/metrics', () => {
  const exposition = (counts: readonly number[]) =>
    new Exposition(
      [
        '# TYPE omnivoice_x_seconds histogram',
        ...[0.01, 0.02, '+Inf'].map((le, i) => `omnivoice_x_seconds_bucket{c="v",le="${le}"} ${counts[i]}`),
        'omnivoice_x_seconds_bucket{c="other",le="0.01"} 99',
        'omnivoice_frames_total{node="0"} 3',
        'omnivoice_frames_total{node="1"} 4',
      ].join('\n'),
    );

  it('is summed over every series with the labels wanted', () => {
    expect(exposition([0, 0, 0]).sum('omnivoice_frames_total')).toBe(7);
    expect(exposition([0, 0, 0]).sum('omnivoice_frames_total', { node: '1' })).toBe(4);
  });

  it('gives quantiles of what was counted between two readings', () => {
    const between = binnedBetween(exposition([5, 5, 5]), exposition([5, 105, 105]), 'omnivoice_x_seconds', {
      c: 'v',
    });
    expect(between.count).toBe(100);
    expect(between.p50Ms).toBeCloseTo(15);
    expect(between.p99Ms).toBeCloseTo(19.9);
  });

  it('says no more than the last edge of what lies beyond it', () => {
    const between = binnedBetween(exposition([0, 0, 0]), exposition([0, 0, 10]), 'omnivoice_x_seconds', {
      c: 'v',
    });
    expect(between.p99Ms).toBe(20);
  });
});
