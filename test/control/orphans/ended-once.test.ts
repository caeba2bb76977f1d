import { expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { LocalRegistry } from '../../../src/cluster/local-registry.ts';
import { Reaper } from '../../../src/control/reaper.ts';
import type { Store } from '../../../src/store/store.ts';
import { eventOf, eventsOf, WORKSPACE } from '../../store/samples.ts';
import {
  atTheEnd,
  describeOnEachEngine,
  isOnPostgres,
  openTempStore,
  tempPath,
} from '../../store/temp-store.ts';

const LOST = { callId: 'call_1', owner: 'n0-lost' };

describeOnEachEngine('a call that two control processes end at once', () => {
  /** Processes that share a database, and a registry that knows nothing of the call. */
  async function openProcesses() {
    const path = tempPath();
    const registry = new LocalRegistry(systemClock);
    const lost: string[] = [];
    const first = await openTempStore({ path });
    // A file has one process that writes: there the two are in it.
    const second = isOnPostgres() ? await openTempStore({ path }) : first;
    const on = ({ journal, calls }: Store) => {
      const reaper = new Reaper({
        journal,
        registry,
        finish: (...last) => journal.finish(...last),
        onLost: ({ id }) => lost.push(id),
        clock: systemClock,
        log: { warn: () => {}, error: () => {} },
      });
      atTheEnd(() => reaper.close());
      return { journal, calls, reaper };
    };
    return { one: on(first), other: on(second), registry, lost };
  }

  it('ends once, numbered on from what its owner told last, and is counted once', async () => {
    const { one, other, registry, lost } = await openProcesses();
    const under = (fence: number, sequence: number) => ({ ...eventOf('call_1', sequence), fence });
    await one.journal.commit({
      incarnation: LOST.owner,
      first: 1,
      records: eventsOf('call_1', 2).map((record) => ({ ...record, fence: 7 })),
    });
    // The last word of its owner comes in between: whoever ends it speaks after that, or it is refused.
    const late = { incarnation: LOST.owner, first: 3, records: [under(7, 3)] };
    const ending = [one.reaper.endOrphan(LOST), other.reaper.endOrphan(LOST)];
    await other.journal.commit(late);
    // Who finds it ended already looks once more, later.
    expect(await Promise.all(ending)).toContain(true);
    expect(await registry.find('call_1')).toEqual({ state: 'ended' });
    const read = await one.journal.read({ workspaceId: WORKSPACE, resourceId: 'call_1', limit: 100 });
    const told = read.map(({ envelope }) => envelope);
    expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_, index) => index + 1));
    expect(told.slice(-2).map(({ type }) => type)).toEqual(['call_ended', 'call_completed']);
    expect(told.filter(({ type }) => type === 'call_ended')).toHaveLength(1);
    expect(lost).toEqual(['call_1']);
    // What its host still held when it came back.
    const back = { incarnation: LOST.owner, first: 4, records: [under(7, told.length + 1)] };
    expect(await other.journal.commit(back)).toEqual([]);
    expect(await one.journal.openCall('call_1')).toBeUndefined();
    expect((await one.calls.get(WORKSPACE, 'call_1'))?.end_reason).toBe('node_lost');
  });

  it('stays with whoever puts its record back before either has said so', async () => {
    const { one, registry, lost } = await openProcesses();
    await one.journal.commit({ incarnation: LOST.owner, first: 1, records: eventsOf('call_1', 2) });
    const find = registry.find.bind(registry);
    registry.find = async (callId) => {
      const found = await find(callId);
      await registry.save('n0-next', { callId, token: 8, sequence: 2, snapshot: '{}' });
      return found;
    };
    expect(await one.reaper.endOrphan(LOST)).toBe(false);
    expect(await one.journal.openCall('call_1')).toMatchObject({ sequence: 2 });
    expect(lost).toEqual([]);
  });
});
