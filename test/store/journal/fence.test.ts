import { expect, it } from 'vitest';
import type { EventRecord } from '../../../src/events/envelope.ts';
import { eventOf, eventsOf, WORKSPACE } from '../samples.ts';
import { describeOnEachEngine, openTempStore, tempPath } from '../temp-store.ts';

function under(fence: number, records: readonly EventRecord[]): readonly EventRecord[] {
  return records.map((record) => ({ ...record, fence }));
}

function batch(incarnation: string, records: readonly EventRecord[]) {
  return { incarnation, first: 1, records };
}

describeOnEachEngine('the events of a former owner', () => {
  it('are refused, counted and acknowledged once a later owner has spoken', async () => {
    const { journal, calls, stats } = await openTempStore();
    await journal.commit(batch('nod_1', under(7, eventsOf('call_1', 3))));
    await journal.commit(batch('nod_2', under(8, [eventOf('call_1', 4)])));
    const late = [...under(7, [eventOf('call_1', 5), eventOf('call_1', 6)])];
    expect(await journal.commit({ incarnation: 'nod_1', first: 4, records: late })).toEqual([]);
    expect(await journal.cursorOf('nod_1')).toBe(5);
    expect(stats.journal).toMatchObject({ fencedEvents: 2, duplicateEvents: 0, committedEvents: 4 });
    expect(await journal.read({ workspaceId: WORKSPACE, limit: 10 })).toHaveLength(4);
    expect((await calls.get(WORKSPACE, 'call_1'))?.sequence).toBe(4);
  });

  it('are refused after a restart too, and when owners follow each other in one batch', async () => {
    const path = tempPath();
    const first = await openTempStore({ path });
    await first.journal.commit(
      batch('nod_1', [...under(2, eventsOf('call_1', 2)), ...under(9, [eventOf('call_1', 3)])]),
    );
    await first.close();
    const { journal, stats } = await openTempStore({ path });
    const mixed = [...under(8, [eventOf('call_1', 4)]), ...under(9, [eventOf('call_1', 4)])];
    const committed = await journal.commit(batch('nod_2', mixed));
    expect(committed.map(({ envelope }) => envelope.id)).toEqual([mixed[1]!.envelope.id]);
    expect(stats.journal.fencedEvents).toBe(1);
  });

  it('that are known already are repetitions: a new owner sends again what was held for a lost one', async () => {
    const { journal, stats } = await openTempStore();
    const records = eventsOf('call_1', 3);
    await journal.commit(batch('nod_1', under(3, records)));
    await journal.commit(batch('nod_2', under(4, [...records, eventOf('call_1', 4)])));
    expect(stats.journal).toMatchObject({ duplicateEvents: 3, fencedEvents: 0, committedEvents: 4 });
  });

  it('keep their numbers, and the new owner’s follow them: it did not know of them when it went on', async () => {
    const { journal, calls, stats } = await openTempStore();
    // The former owner told 3 and 4 while its snapshots went nowhere; the new one goes on from 2.
    await journal.commit(batch('nod_1', under(3, eventsOf('call_1', 4))));
    const told = under(
      4,
      [3, 4, 5].map((sequence) => eventOf('call_1', sequence)),
    );
    const committed = await journal.commit(batch('nod_2', told));
    expect(committed.map(({ envelope }) => envelope)).toEqual(
      told.map(({ envelope }, index) => ({ ...envelope, sequence: 5 + index })),
    );
    // Sent again after a lost answer, by itself and by the next owner: nothing new.
    expect(await journal.append(told)).toEqual([]);
    expect(await journal.commit(batch('nod_3', under(5, told)))).toEqual([]);
    const [next] = await journal.commit({
      incarnation: 'nod_3',
      first: 4,
      records: under(5, [eventOf('call_1', 6)]),
    });
    expect(next?.envelope.sequence).toBe(8);
    expect(await journal.commit({ ...batch('nod_1', under(3, [eventOf('call_1', 9)])), first: 5 })).toEqual(
      [],
    );
    expect(stats.journal).toMatchObject({ renumberedEvents: 4, fencedEvents: 1, sequenceGaps: 0 });
    expect((await calls.get(WORKSPACE, 'call_1'))?.sequence).toBe(8);
    // Its last words have numbers that are taken by now, too.
    const last = [
      eventOf('call_1', 7, { type: 'call_ended', data: { reason: 'caller_hangup' } }),
      eventOf('call_1', 8, { type: 'call_completed' }),
    ];
    const ended = await journal.commit({ incarnation: 'nod_3', first: 5, records: under(5, last) });
    expect(ended.map(({ envelope }) => [envelope.sequence, envelope.type])).toEqual([
      [9, 'call_ended'],
      [10, 'call_completed'],
    ]);
  });

  it('that ended the call are its end, whatever a new owner has to say', async () => {
    const { journal, stats } = await openTempStore();
    const end = eventOf('call_1', 3, { type: 'call_ended', data: { reason: 'caller_hangup' } });
    await journal.commit(batch('nod_1', under(3, [...eventsOf('call_1', 2), end])));
    expect(await journal.commit(batch('nod_2', under(4, [eventOf('call_1', 3)])))).toEqual([]);
    expect(stats.journal).toMatchObject({ renumberedEvents: 0, duplicateEvents: 1 });
  });

  it('stop nobody who has no token: control speaks of calls it does not own', async () => {
    const { journal, stats } = await openTempStore();
    await journal.commit(batch('nod_1', under(5, eventsOf('call_1', 2))));
    expect(await journal.append([eventOf('call_1', 3)])).toHaveLength(1);
    expect(await journal.append(under(4, [eventOf('call_1', 4)]))).toEqual([]);
    expect(stats.journal.fencedEvents).toBe(1);
  });
});

describeOnEachEngine('a commit whose answer never came', () => {
  it('is not written twice when it is sent again', async () => {
    const path = tempPath();
    const one = await openTempStore({ path });
    const two = await openTempStore({ path });
    await one.journal.commit(batch('nod_1', eventsOf('call_1', 2)));
    // As if the first had committed these and never heard of it.
    const records = [...eventsOf('call_1', 2), eventOf('call_1', 3), eventOf('call_1', 4)];
    await two.journal.commit(batch('nod_1', records));
    expect(await one.journal.commit(batch('nod_1', records))).toEqual([]);
    expect(await one.journal.append(records)).toEqual([]);
    expect(one.stats.journal).toMatchObject({ skippedRecords: 4, duplicateEvents: 4 });
    const read = await one.journal.read({ workspaceId: WORKSPACE, limit: 10 });
    expect(read.map(({ envelope }) => envelope.sequence)).toEqual([1, 2, 3, 4]);
  });
});
