import { expect, it } from 'vitest';
import type { EventRecord } from '../../../src/events/envelope.ts';
import { FailoverGaps } from '../../../src/node/cluster/failover-gaps.ts';
import { ClusterTimings } from '../../../src/telemetry/cluster-timings.ts';

function told(id: string, type: string, data: object = {}): EventRecord {
  return { envelope: { type, resource: { type: 'call', id }, data } } as unknown as EventRecord;
}

const sumOf = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);

function openGaps() {
  const timings = new ClusterTimings();
  const gaps = new FailoverGaps(timings);
  const measured = () =>
    Object.fromEntries(
      Object.entries(timings.failoverGap).map(([cause, bins]) => [cause, [sumOf(bins.counts), bins.sum]]),
    );
  return { gaps, measured };
}

it('measures a call that came here once, when its first leg is back, by why it came', () => {
  const { gaps, measured } = openGaps();
  gaps.took('call_1', 'hang');
  gaps.told(told('call_1', 'leg_connected'));
  gaps.told(told('call_1', 'call_recovered', { gap_ms: 480 }));
  gaps.told(told('call_1', 'call_recovered', { gap_ms: 900 }));
  expect(measured()).toEqual({ crash: [0, 0], hang: [1, 0.48], drain: [0, 0], client: [0, 0] });
});

it('measures nothing of a call that ended, went on, or that its former owner told of', () => {
  const { gaps, measured } = openGaps();
  gaps.told(told('call_1', 'call_recovered', { gap_ms: 5 }));
  gaps.took('call_2', 'crash');
  gaps.told(told('call_2', 'call_ended'));
  gaps.told(told('call_2', 'call_recovered', { gap_ms: 5 }));
  gaps.took('call_3', 'crash');
  gaps.forget('call_3');
  gaps.told(told('call_3', 'call_recovered', { gap_ms: 5 }));
  expect(measured()).toMatchObject({ crash: [0, 0] });
});

it('forgets the oldest of too many that nobody comes back for', () => {
  const { gaps, measured } = openGaps();
  for (let call = 0; call <= 10_000; call++) gaps.took(`call_${call}`, 'crash');
  gaps.told(told('call_0', 'call_recovered', { gap_ms: 5 }));
  gaps.told(told('call_1', 'call_recovered', { gap_ms: 5 }));
  expect([gaps.unmeasured, measured()['crash']]).toEqual([1, [1, 0.005]]);
});
