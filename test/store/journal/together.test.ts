import { expect, it } from 'vitest';
import type { Attempt } from '../../../src/delivery/outbox.ts';
import type { EventRecord } from '../../../src/events/envelope.ts';
import type { Store } from '../../../src/store/store.ts';
import { attemptOf, endpointOf, eventOf, eventsOf, WORKSPACE } from '../samples.ts';
import { describeOnEachEngine, openTempStore, rowsIn, tempPath } from '../temp-store.ts';

function batch(first: number, records: readonly EventRecord[], incarnation = 'nod_1') {
  return { incarnation, first, records };
}

/** One that no database can hold. */
function unwritable(callId: string): EventRecord {
  const record = eventOf(callId, 1);
  return { ...record, envelope: { ...record.envelope, sequence: Number.NaN } };
}

async function positionsIn({ journal }: Store): Promise<readonly (readonly [number, string, number])[]> {
  const entries = await journal.read({ workspaceId: WORKSPACE, limit: 100 });
  return entries.map(
    ({ position, envelope }) => [position, envelope.resource.id, envelope.sequence] as const,
  );
}

describeOnEachEngine('commits that wait for each other', () => {
  it('share a transaction, and each hears of its own events', async () => {
    const store = await openTempStore();
    const committed = await Promise.all([
      store.journal.append(eventsOf('call_1', 2)),
      store.journal.commit(batch(1, eventsOf('call_2', 1))),
      store.journal.append([eventOf('call_1', 3)]),
    ]);
    expect(committed.map((events) => events.map(({ position }) => position))).toEqual([[1, 2], [3], [4]]);
    expect(store.stats.journal).toMatchObject({ commits: 1, committedEvents: 4, sequenceGaps: 0 });
  });

  it('know in one transaction what is twice in it, and where each spool stands', async () => {
    const store = await openTempStore();
    const records = eventsOf('call_1', 6);
    const committed = await Promise.all([
      store.journal.commit(batch(1, records.slice(0, 3))),
      store.journal.commit(batch(2, records.slice(1, 5))),
      store.journal.commit(batch(1, records.slice(0, 5))),
      store.journal.commit(batch(1, records.slice(2), 'nod_2')),
      store.journal.commit(batch(9, [eventOf('call_2', 1)])),
    ]);
    const sequences = committed.map((events) => events.map(({ envelope }) => envelope.sequence));
    expect(sequences).toEqual([[1, 2, 3], [4, 5], [], [6], [1]]);
    expect(store.stats.journal).toMatchObject({
      commits: 1,
      skippedRecords: 2 + 5,
      duplicateEvents: 3,
      spoolHoles: 1,
    });
    expect(await store.journal.cursorOf('nod_1')).toBe(9);
    expect(await store.journal.cursorOf('nod_2')).toBe(4);
  });

  it('fail alone: what stands beside one that cannot be written is written, in its order', async () => {
    const store = await openTempStore();
    const results = await Promise.allSettled([
      store.journal.append([eventOf('call_1', 1)]),
      store.journal.append([unwritable('call_2')]),
      store.journal.append([eventOf('call_1', 2)]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await positionsIn(store)).toEqual([
      [1, 'call_1', 1],
      [2, 'call_1', 2],
    ]);
    expect(store.stats.journal).toMatchObject({ splitCommits: 1, duplicateEvents: 0, sequenceGaps: 0 });
  });
});

describeOnEachEngine('attempts that end while events are committed', () => {
  async function openOwing() {
    const path = tempPath();
    const store = await openTempStore({ path });
    await store.endpoints.create(endpointOf('whk_1'));
    const committed = await store.journal.append(eventsOf('call_1', 3));
    const ids = committed.map(({ deliveries }) => deliveries[0]!.deliveryId);
    const record = (index: number, change: Partial<Attempt> = {}) =>
      store.outbox.record(
        { ...attemptOf(ids[index]!, index), ...change },
        { state: 'delivered', nextAttemptUnixMs: null },
      );
    const delivered = async () => {
      const rows = await rowsIn(path, 'select id from deliveries where settled_unix_ms is not null');
      return ids.map((id) => rows.some((row) => row['id'] === id));
    };
    return { store, record, delivered };
  }

  it('are on record when the outbox says so, and so are the events', async () => {
    const { store, record, delivered } = await openOwing();
    await Promise.all([record(0), store.journal.append([eventOf('call_1', 4)]), record(2)]);
    expect(await delivered()).toEqual([true, false, true]);
    expect(await positionsIn(store)).toHaveLength(4);
    expect(store.stats.outbox).toMatchObject({ attempts: 2, splitBatches: 0 });
  });

  it('fail alone when they cannot be written, as do the events', async () => {
    const { store, record, delivered } = await openOwing();
    const results = await Promise.allSettled([
      record(0),
      record(1, { durationMs: Number.NaN }),
      store.journal.append([eventOf('call_1', 4)]),
      store.journal.append([unwritable('call_2')]),
      record(2),
    ]);
    const failed = results.map(({ status }) => status === 'rejected');
    expect(failed).toEqual([false, true, false, true, false]);
    expect(await delivered()).toEqual([true, false, true]);
    expect(await positionsIn(store)).toHaveLength(4);
  });
});
