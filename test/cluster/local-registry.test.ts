import { describe, expect, it } from 'vitest';
import { LocalRegistry } from '../../src/cluster/local-registry.ts';
import { GRACE_MS, LEASE_MS, TOMBSTONE_TTL_MS } from '../../src/cluster/timing.ts';
import { FakeClock } from '../fakes/clock.ts';
import { nodeRecord } from '../fakes/node-records.ts';
import { describeRegistry } from './registry-contract.ts';

describe('the registry of one host', () => {
  describeRegistry(() => new LocalRegistry(new FakeClock()));

  it('lets a lease run out, and its calls be swept after the grace, not before', async () => {
    const clock = new FakeClock();
    const registry = new LocalRegistry(clock);
    await registry.beat(nodeRecord('n0'));
    const wish = { callId: 'call_1', reason: 'new', expectedOwner: null, tokenFloor: 0 } as const;
    await registry.claim('n0', wish);
    clock.advance(LEASE_MS);
    expect((await registry.beat(nodeRecord('n1'))).nodes.map((node) => node.incarnation)).toEqual(['n1']);
    clock.advance(GRACE_MS - 1);
    expect(await registry.orphans()).toEqual([]);
    clock.advance(1);
    expect(await registry.orphans()).toMatchObject([{ callId: 'call_1', owner: 'n0' }]);
    const orphan = { ...wish, reason: 'orphan', expectedOwner: 'n0' } as const;
    expect(await registry.claim('n1', orphan)).toMatchObject({ result: 'claimed', previousOwner: 'n0' });
    expect(await registry.orphans()).toEqual([]);
  });

  it('forgets a tombstone in its time', async () => {
    const clock = new FakeClock();
    const registry = new LocalRegistry(clock);
    await registry.end('n0', 'call_1', 1);
    clock.advance(TOMBSTONE_TTL_MS);
    await registry.beat(nodeRecord('n0'));
    expect(await registry.find('call_1')).toBe('unknown');
    expect(registry.records).toBe(0);
  });

  it('gives rising tokens whatever the wall clock does', async () => {
    const clock = new FakeClock();
    const registry = new LocalRegistry(clock);
    const wish = { reason: 'new', expectedOwner: null, tokenFloor: 0 } as const;
    const first = await registry.claim('n0', { ...wish, callId: 'call_1' });
    clock.advance(1);
    clock.stepWallClock(-10_000);
    const second = await registry.claim('n0', { ...wish, callId: 'call_2' });
    if (first.result !== 'claimed' || second.result !== 'claimed') throw new Error('not claimed');
    expect(second.token).toBeGreaterThan(first.token);
  });
});
