import { describe, expect, it } from 'vitest';
import { CALLS, randomSchedule, type Fault } from './schedule.ts';
import { World } from './world.ts';

const SEEDS = process.env['OMNIVOICE_TEST_LONG'] ? 3_000 : 100;

async function played(seed: number, schedule: readonly Fault[]): Promise<World> {
  const world = new World(seed, schedule);
  await world.play();
  return world;
}

/** The promises a schedule broke, in words. */
function brokenBy(world: World, schedule: readonly Fault[]): string[] {
  const broken = [...world.witness.broken];
  if (world.claimsIsolated > 0) broken.push(`${world.claimsIsolated} claims while isolated`);
  if (world.doubleMsMax > 5_000) broken.push(`two owners for ${world.doubleMsMax} ms`);
  const isRegistryAlone = schedule.every(
    ({ target, fault }) => target === 'registry' || target === 'clock' || fault === 'partition',
  );
  if (isRegistryAlone && world.takeovers > 0)
    broken.push(`${world.takeovers} calls moved by the registry alone`);
  return broken;
}

describe('the cluster, simulated', () => {
  it(
    `keeps its promises under ${SEEDS} schedules of faults`,
    async () => {
      let takeovers = 0;
      for (let seed = 1; seed <= SEEDS; seed++) {
        const schedule = randomSchedule(seed);
        const world = await played(seed, schedule);
        const story = `seed ${seed}: ${JSON.stringify(schedule)}`;
        expect({ story, broken: brokenBy(world, schedule) }).toEqual({ story, broken: [] });
        takeovers += world.takeovers;
      }
      // A simulation in which nothing moves would prove nothing.
      expect(takeovers).toBeGreaterThan(SEEDS);
    },
    SEEDS * 3_000,
  );

  it('moves the calls of a dead node to those where their legs come back, and no others', async () => {
    const world = await played(1, [{ atMs: 2_000, fault: 'kill', target: 1 }]);
    expect(world.takeovers).toBe(CALLS / 4);
    for (const [callId] of world.legAt) {
      expect(world.ownersOf(callId)).toHaveLength(world.ended.has(callId) ? 0 : 1);
    }
  });

  it.each(['down', 'slow', 'mute', 'late', 'read_only'] as const)(
    'moves and loses no call where the registry is %s for ten seconds',
    async (fault) => {
      const world = await played(1, [{ atMs: 3_000, fault, target: 'registry', forMs: 10_000 }]);
      expect([world.takeovers, world.witness.broken]).toEqual([0, []]);
      expect(world.nodes.map(({ sequences }) => sequences.size)).toEqual([2, 3, 3, 3]);
    },
  );

  it.each([-10_000, 10_000])('moves and loses no call where the wall clock steps by %i ms', async (byMs) => {
    const world = await played(1, [{ atMs: 3_000, fault: 'step', target: 'clock', byMs }]);
    expect([world.takeovers, world.claimsIsolated, world.witness.broken]).toEqual([0, 0, []]);
    expect(world.nodes.map(({ sequences }) => sequences.size)).toEqual([2, 3, 3, 3]);
    expect(world.nodes.map(({ ownership }) => ownership.counts.fenced)).toEqual([0, 0, 0, 0]);
  });

  it('has every call back in a registry that lost its data', async () => {
    const world = await played(1, [{ atMs: 3_000, fault: 'empty', target: 'registry' }]);
    expect(world.takeovers).toBe(0);
    for (const node of world.nodes) {
      for (const callId of node.sequences.keys()) expect(node.ownership.tokenOf(callId)).toBeGreaterThan(1);
    }
    expect(world.nodes.map(({ ownership }) => ownership.counts.fenced)).toEqual([0, 0, 0, 0]);
  });

  it('tells the same story again by the same seed', async () => {
    const [one, other] = [await played(7, randomSchedule(7)), await played(7, randomSchedule(7))];
    expect([one.takeovers, one.witness.claims, [...one.legAt]]).toEqual([
      other.takeovers,
      other.witness.claims,
      [...other.legAt],
    ]);
  });
});
