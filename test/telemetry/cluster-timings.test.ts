import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { addClusterTimings, ClusterTimings } from '../../src/telemetry/cluster-timings.ts';
import { expositionOf, snapshotOf } from '../../src/telemetry/exposition.ts';
import { readExposition } from './exposition-parser.ts';

const CAUSES = ['crash', 'hang', 'drain', 'client'];

async function shown(timings: ClusterTimings): Promise<string> {
  const registry = new Registry();
  addClusterTimings(registry, 'north', timings);
  return expositionOf(await snapshotOf(registry));
}

it('has a series of each cause and command from the start, and the promises of a failover as edges', async () => {
  const text = await shown(new ClusterTimings());
  for (const cause of CAUSES) {
    expect(text).toContain(`omnivoice_failover_gap_seconds_count{region="north",cause="${cause}"} 0`);
    for (const edge of ['0.04', '0.1', '0.4', '0.7', '3']) {
      expect(text).toContain(`{region="north",cause="${cause}",le="${edge}"} 0`);
    }
  }
  for (const command of ['beat', 'claim', 'save', 'end', 'find', 'sweep']) {
    expect(text).toContain(`omnivoice_redis_command_seconds_bucket{command="${command}",le="0.3"} 0`);
  }
  expect(text).toContain('omnivoice_peer_rtt_seconds_count{peer_region="north"} 0');
  expect([...readExposition(text).keys()]).toEqual([
    'omnivoice_failover_gap_seconds',
    'omnivoice_redis_command_seconds',
    'omnivoice_peer_rtt_seconds',
  ]);
});

it('counts what was given up beyond the last edge', async () => {
  const timings = new ClusterTimings();
  timings.redisCommand.save.observeMs(0.3);
  timings.redisCommand.save.observeMs(301);
  const text = await shown(timings);
  expect(text).toContain('omnivoice_redis_command_seconds_bucket{command="save",le="0.0005"} 1');
  expect(text).toContain('omnivoice_redis_command_seconds_bucket{command="save",le="0.3"} 1');
  expect(text).toContain('omnivoice_redis_command_seconds_bucket{command="save",le="+Inf"} 2');
});
