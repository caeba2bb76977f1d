import { afterEach, expect, it } from 'vitest';
import { LocalRegistry } from '../../../src/cluster/local-registry.ts';
import { responsibleFor } from '../../../src/cluster/rendezvous.ts';
import { OrphanSweep } from '../../../src/control/orphans/orphan-sweep.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { nodeRecord } from '../../fakes/node-records.ts';

const WINDOW_MS = 30_000;
const HOSTS = ['a', 'b', 'c'];
const CALLS = Array.from({ length: 60 }, (_, index) => `call_${index}`);
const nodeOf = (host: string): string => `n0-${host}`;

const opened: OrphanSweep[] = [];
afterEach(() => {
  for (const sweep of opened.splice(0)) sweep.close();
});

interface Host {
  readonly sweep: OrphanSweep;
  readonly ended: string[];
}

/** Hosts of one region, one node each, and calls whose owner was a fourth that is lost now. */
async function openHosts(end?: (host: string, callId: string) => Promise<boolean>) {
  const clock = new FakeClock();
  const registry = new LocalRegistry(clock);
  const silent = new Set<string>();
  await registry.beat(nodeRecord('n0-lost'));
  for (const callId of CALLS) {
    const wish = { callId, reason: 'new', expectedOwner: null, tokenFloor: 0 } as const;
    await registry.claim('n0-lost', wish);
  }
  const hosts = new Map<string, Host>();
  for (const host of HOSTS) {
    const ended: string[] = [];
    const sweep = new OrphanSweep({
      registry,
      nodesHere: () => [nodeOf(host)],
      resumeWindowMs: WINDOW_MS,
      end: async ({ callId, owner, token }) => {
        if (end !== undefined) return end(host, callId);
        ended.push(callId);
        return (await registry.end(owner, callId, token)) === 'saved';
      },
      clock,
      log: { error: () => {} },
    });
    opened.push(sweep);
    hosts.set(host, { sweep, ended });
  }
  /** Time goes on, and nodes that are there beat. A host that is silent looks for nothing. */
  const pass = async (ms: number): Promise<void> => {
    for (let passedMs = 0; passedMs < ms; passedMs += 500) {
      for (const host of HOSTS) if (!silent.has(host)) await registry.beat(nodeRecord(nodeOf(host)));
      clock.advance(500);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const lose = (host: string): void => {
    silent.add(host);
    hosts.get(host)!.sweep.close();
  };
  const ended = (): string[] => [...hosts.values()].flatMap((one) => one.ended);
  return { hosts, pass, lose, ended, registry };
}

it('each lost call is ended once, at the host of its responsible node, when its window is over', async () => {
  const { hosts, pass, ended } = await openHosts();
  await pass(WINDOW_MS - 1_000);
  expect(ended()).toEqual([]);
  await pass(15_000);
  expect(ended().toSorted()).toEqual(CALLS.toSorted());
  const nodes = HOSTS.map(nodeOf);
  for (const [host, { ended: here, sweep }] of hosts) {
    expect(here.map((callId) => responsibleFor(callId, nodes))).toEqual(here.map(() => nodeOf(host)));
    expect(here.length).toBeGreaterThan(0);
    expect(sweep.stats).toMatchObject({ settled: here.length, overdue: 0 });
  }
});

it('what a lost host was responsible for is ended by the others at once: its node is not there', async () => {
  const { pass, lose, ended } = await openHosts();
  lose('a');
  await pass(WINDOW_MS + 15_000);
  expect(ended().toSorted()).toEqual(CALLS.toSorted());
});

it('what the host of the responsible node does not end is ended by another, half a minute later', async () => {
  const { hosts, pass, ended } = await openHosts();
  hosts.get('a')!.sweep.close();
  await pass(WINDOW_MS + 15_000);
  const left = CALLS.length - ended().length;
  expect(left).toBeGreaterThan(0);
  await pass(30_000);
  expect(new Set(ended()).size).toBe(CALLS.length);
  const overdue = HOSTS.map((host) => hosts.get(host)!.sweep.stats.overdue);
  expect(overdue.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(left);
});

it('a call that cannot be ended keeps no other from its end, and is tried again', async () => {
  const tries = new Map<string, number>();
  const { hosts, pass } = await openHosts(async (_, callId) => {
    tries.set(callId, (tries.get(callId) ?? 0) + 1);
    if (callId === 'call_7') throw new Error('the store is away');
    return true;
  });
  await pass(WINDOW_MS + 20_000);
  expect(tries.size).toBe(CALLS.length);
  expect(tries.get('call_7')).toBeGreaterThan(1);
  expect(HOSTS.map((host) => hosts.get(host)!.sweep.stats.failures).some((count) => count > 0)).toBe(true);
});

it('a call of which nobody can say yet whether it goes on is counted, and looked at again', async () => {
  const { hosts, pass } = await openHosts(async () => false);
  await pass(WINDOW_MS + 20_000);
  const counts = HOSTS.map((host) => hosts.get(host)!.sweep.stats);
  expect(counts.map(({ settled, failures }) => [settled, failures])).toEqual(HOSTS.map(() => [0, 0]));
  expect(counts.reduce((sum, { undecided }) => sum + undecided, 0)).toBeGreaterThan(CALLS.length);
});

it('a call that comes back within its window is nobody’s to end', async () => {
  const { pass, ended, registry } = await openHosts();
  await pass(WINDOW_MS - 5_000);
  const wish = { callId: 'call_3', reason: 'arrival', expectedOwner: 'n0-lost', tokenFloor: 0 } as const;
  await registry.claim(nodeOf('b'), wish);
  await pass(60_000);
  expect(ended()).not.toContain('call_3');
});
