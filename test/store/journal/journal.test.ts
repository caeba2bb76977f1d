import { expect, it } from 'vitest';
import type { EventRecord } from '../../../src/events/envelope.ts';
import type { JournalQuery } from '../../../src/events/journal.ts';
import { endpointOf, eventOf, eventsOf, WORKSPACE } from '../samples.ts';
import { describeOnEachEngine, openTempStore, rowsIn, tempPath } from '../temp-store.ts';

const ALL: JournalQuery = { workspaceId: WORKSPACE, limit: 1_000 };

function batch(first: number, records: readonly EventRecord[], incarnation = 'nod_1') {
  return { incarnation, first, records };
}

describeOnEachEngine('committing', () => {
  it('answers what is new in commit order, with stamps, and keeps the envelopes as they were', async () => {
    const { journal } = await openTempStore();
    const records = eventsOf('call_1', 3);
    const committed = await journal.commit(batch(1, records));
    expect(committed.map(({ position }) => position)).toEqual([1, 2, 3]);
    expect(committed[0]).toMatchObject({ receivedAtMs: 1, decidedAtMs: 2, deliveries: [] });
    expect(committed[0]!.committedAtMs).toBeGreaterThan(0);
    const read = await journal.read(ALL);
    expect(read.map(({ envelope }) => envelope)).toEqual(records.map(({ envelope }) => envelope));
    expect(await journal.bounds()).toEqual({ first: 1, last: 3 });
  });

  it('takes any number of records in one transaction', async () => {
    const { journal, endpoints } = await openTempStore();
    await endpoints.create(endpointOf('whk_1'));
    const records = Array.from({ length: 7 }, (_, call) => eventsOf(`call_${call}`, 73)).flat();
    const committed = await journal.commit(batch(1, records));
    expect(committed).toHaveLength(7 * 73);
    expect(new Set(committed.flatMap(({ deliveries }) => deliveries.map((d) => d.deliveryId))).size).toBe(
      511,
    );
    expect(await journal.read({ ...ALL, limit: 10_000 })).toHaveLength(511);
  });

  it('skips records below the cursor and goes on behind it, also after a restart', async () => {
    const path = tempPath();
    const first = await openTempStore({ path });
    const records = eventsOf('call_1', 5);
    await first.journal.commit(batch(1, records.slice(0, 3)));
    expect(await first.journal.cursorOf('nod_1')).toBe(3);
    expect(await first.journal.commit(batch(1, records.slice(0, 3)))).toEqual([]);
    expect(first.stats.journal.skippedRecords).toBe(3);
    await first.close();

    const second = await openTempStore({ path });
    const committed = await second.journal.commit(batch(2, records.slice(1)));
    expect(committed.map(({ envelope }) => envelope.sequence)).toEqual([4, 5]);
    expect(await second.journal.cursorOf('nod_1')).toBe(5);
    expect(second.stats.journal).toMatchObject({ skippedRecords: 2, duplicateEvents: 0 });
    expect(second.journal.epoch).toBe(first.journal.epoch);
  });

  it('keeps a cursor for each incarnation and forgets it on request', async () => {
    const { journal } = await openTempStore();
    await journal.commit(batch(1, eventsOf('call_1', 2), 'nod_1'));
    await journal.commit(batch(1, eventsOf('call_2', 4), 'nod_2'));
    expect(await journal.cursorOf('nod_1')).toBe(2);
    await journal.forgetCursor('nod_1');
    expect(await journal.cursorOf('nod_1')).toBe(0);
    expect(await journal.cursorOf('nod_2')).toBe(4);
    expect(await journal.cursorOf('nod_never')).toBe(0);
  });

  it('goes on where a spool was trimmed before this store knew the node, and counts a hole', async () => {
    const { journal, stats } = await openTempStore();
    await journal.commit(batch(5_000, eventsOf('call_1', 2)));
    expect(await journal.cursorOf('nod_1')).toBe(5_001);
    expect(stats.journal.spoolHoles).toBe(1);
  });

  it('gives queued commits their positions in the order they were asked for', async () => {
    const { journal } = await openTempStore();
    const committed = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        journal.commit(batch(index + 1, [eventOf('call_1', index + 1)])),
      ),
    );
    const order = committed.flat().map(({ position, envelope }) => [position, envelope.sequence]);
    expect(order).toEqual(Array.from({ length: 30 }, (_, index) => [index + 1, index + 1]));
  });

  it('leaves no trace of a commit that failed, and commits it whole the next time', async () => {
    const { journal, stats, calls } = await openTempStore();
    await journal.commit(batch(1, eventsOf('call_1', 2)));
    const broken = eventOf('call_1', 4, {
      created_at: undefined as unknown as string,
      type: 'call_completed',
    });
    const unwritable = { ...broken, envelope: { ...broken.envelope, sequence: Number.NaN } };
    await expect(journal.commit(batch(3, [eventOf('call_1', 3), unwritable]))).rejects.toThrow(/parameter/);
    expect(await journal.cursorOf('nod_1')).toBe(2);
    expect(await journal.bounds()).toEqual({ first: 1, last: 2 });
    const again = await journal.commit(batch(3, eventsOf('call_1', 4).slice(2)));
    expect(again.map(({ position }) => position)).toEqual([3, 4]);
    expect((await calls.get(WORKSPACE, 'call_1'))?.sequence).toBe(4);
    expect(stats.journal).toMatchObject({ duplicateEvents: 0, sequenceGaps: 0 });
  });
});

describeOnEachEngine('an event already known', () => {
  it('is skipped and counted: from another spool, in one batch, and after a restart', async () => {
    const path = tempPath();
    const first = await openTempStore({ path });
    const records = eventsOf('call_1', 4);
    await first.journal.commit(batch(1, records));
    expect(await first.journal.commit(batch(1, records, 'nod_2'))).toEqual([]);
    const twice = await first.journal.append([eventOf('call_1', 5), eventOf('call_1', 5)]);
    expect(twice.map(({ position }) => position)).toEqual([5]);
    expect(first.stats.journal.duplicateEvents).toBe(5);
    await first.close();

    const second = await openTempStore({ path });
    const mixed = await second.journal.append([...records, eventOf('call_1', 6)]);
    expect(mixed.map(({ position, envelope }) => [position, envelope.sequence])).toEqual([[6, 6]]);
    expect(second.stats.journal.duplicateEvents).toBe(4);
  });

  it('moves the cursor all the same', async () => {
    const { journal } = await openTempStore();
    const records = eventsOf('call_1', 3);
    await journal.append(records);
    await journal.commit(batch(1, records));
    expect(await journal.cursorOf('nod_1')).toBe(3);
  });
});

describeOnEachEngine('a gap in a sequence', () => {
  it('is counted, and what was missing is taken when it comes', async () => {
    const { journal, stats } = await openTempStore();
    await journal.append([eventOf('call_1', 1), eventOf('call_1', 4)]);
    expect(stats.journal.sequenceGaps).toBe(1);
    const late = await journal.append([eventOf('call_1', 3), eventOf('call_1', 2), eventOf('call_1', 4)]);
    expect(late.map(({ envelope }) => envelope.sequence)).toEqual([3, 2]);
    expect(stats.journal).toMatchObject({ sequenceGaps: 1, duplicateEvents: 1 });
  });

  it('does not follow from a restart', async () => {
    const path = tempPath();
    const first = await openTempStore({ path });
    await first.journal.append(eventsOf('call_1', 3));
    await first.close();
    const second = await openTempStore({ path });
    await second.journal.append([eventOf('call_1', 4)]);
    expect(second.stats.journal.sequenceGaps).toBe(0);
  });
});

describeOnEachEngine('the delivery rows of a commit', () => {
  const other = endpointOf('whk_other', { workspaceId: 'ws_other' });

  it.each([
    ['everything', {}, ['call_started', 'dtmf_received']],
    ['exact types', { events: ['dtmf_received'] }, ['dtmf_received']],
    ['a family', { events: ['call.*'] }, ['call_started']],
    ['its agent', { agentId: 'echo' }, ['call_started', 'dtmf_received']],
    ['another agent', { agentId: 'silent' }, []],
    ['live mode', { testMode: false }, ['call_started', 'dtmf_received']],
    ['test mode', { testMode: true }, []],
    ['it later: while disabled it is held', { enabled: false }, ['call_started', 'dtmf_received']],
  ] as const)('are made for an endpoint that wants %s', async (_, change, expected) => {
    const path = tempPath();
    const { journal, endpoints } = await openTempStore({ path });
    await endpoints.create(endpointOf('whk_1', change));
    await endpoints.create(other);
    const committed = await journal.append([
      eventOf('call_1', 1),
      eventOf('call_1', 2, { type: 'dtmf_received' }),
    ]);
    const told = committed.filter(({ deliveries }) => deliveries.length > 0);
    expect(told.map(({ envelope }) => envelope.type)).toEqual(expected);
    expect(told.flatMap(({ deliveries }) => deliveries.map(({ endpointId }) => endpointId))).toEqual(
      expected.map(() => 'whk_1'),
    );
    const rows = await rowsIn(path, 'select id, state, attempts from deliveries order by event_position');
    expect(rows).toEqual(
      told.map(({ deliveries }) => ({ id: deliveries[0]!.deliveryId, state: 'pending', attempts: 0 })),
    );
  });

  it('follow endpoints that come and go, and those of an earlier start', async () => {
    const path = tempPath();
    const first = await openTempStore({ path });
    await first.endpoints.create(endpointOf('whk_1'));
    await first.close();
    const { journal, endpoints } = await openTempStore({ path });
    const owedTo = async (sequence: number) =>
      (await journal.append([eventOf('call_1', sequence)]))[0]!.deliveries.map((d) => d.endpointId);
    expect(await owedTo(1)).toEqual(['whk_1']);
    await endpoints.create(endpointOf('whk_2'));
    expect(await owedTo(2)).toEqual(['whk_1', 'whk_2']);
    await endpoints.remove(WORKSPACE, 'whk_1');
    expect(await owedTo(3)).toEqual(['whk_2']);
  });

  it('of a test go to the tested endpoint alone, whatever it selected', async () => {
    const { journal, endpoints } = await openTempStore();
    await endpoints.create(endpointOf('whk_1', { events: ['call_ended'] }));
    await endpoints.create(endpointOf('whk_2'));
    const test = eventOf('x', 1, { type: 'endpoint.test', resource: { type: 'endpoint', id: 'whk_1' } });
    const [committed] = await journal.append([test]);
    expect(committed!.deliveries.map(({ endpointId }) => endpointId)).toEqual(['whk_1']);
  });
});

describeOnEachEngine('reading', () => {
  async function openRead() {
    const { journal } = await openTempStore();
    await journal.append([
      eventOf('call_1', 1),
      eventOf('call_1', 2, { type: 'leg_connected' }),
      eventOf('call_2', 1, { test_mode: true }),
      eventOf('call_3', 1, { data: { agent_id: 'silent' } }),
      eventOf('call_1', 3, { type: 'callback_made' }),
      eventOf('call_4', 1, { workspace_id: 'ws_other' }),
      eventOf('rec_1', 1, { type: 'call.noted', resource: { type: 'note', id: 'rec_1' } }),
    ]);
    return (change: Partial<JournalQuery>) =>
      journal.read({ ...ALL, ...change }).then((entries) => entries.map(({ position }) => position));
  }

  it('finds by workspace, mode, resource, agent and position, in commit order', async () => {
    const read = await openRead();
    expect(await read({})).toEqual([1, 2, 3, 4, 5, 7]);
    expect(await read({ testMode: false })).toEqual([1, 2, 4, 5, 7]);
    expect(await read({ testMode: true })).toEqual([3]);
    expect(await read({ resourceId: 'call_1' })).toEqual([1, 2, 5]);
    expect(await read({ agentId: 'silent' })).toEqual([4]);
    expect(await read({ after: 2, limit: 2 })).toEqual([3, 4]);
    expect(await read({ workspaceId: 'ws_other' })).toEqual([6]);
  });

  it('filters types as hook endpoints do', async () => {
    const read = await openRead();
    expect(await read({ types: ['leg_connected'] })).toEqual([2]);
    expect(await read({ types: ['call.*'] })).toEqual([1, 3, 4, 7]);
    expect(await read({ types: ['leg_connected', 'callback_made'] })).toEqual([2, 5]);
    expect(await read({ types: ['*', 'leg_connected'] })).toHaveLength(6);
    expect(await read({ types: [] })).toHaveLength(6);
    expect(await read({ types: ['l%', 'leg_connecte%', 'ca__.*'] })).toEqual([]);
  });

  it('tells the bounds of an empty journal', async () => {
    const { journal } = await openTempStore();
    expect(await journal.bounds()).toEqual({ first: 1, last: 0 });
  });

  it('names the history of each store differently', async () => {
    const [one, two] = [await openTempStore(), await openTempStore()];
    expect(one.journal.epoch).toMatch(/^[0-9a-f]{16}$/);
    expect(one.journal.epoch).not.toBe(two.journal.epoch);
  });
});
