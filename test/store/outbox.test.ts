import { expect, it } from 'vitest';
import type { AttemptOutcome, PendingDelivery } from '../../src/delivery/outbox.ts';
import { FakeClock } from '../fakes/clock.ts';
import { attemptOf, endpointOf, eventsOf, WORKSPACE } from './samples.ts';
import { describeOnEachEngine, openTempStore, rowsIn, tempPath } from './temp-store.ts';

const START = { position: 0, id: '' };
const PAGE = { workspaceId: WORKSPACE, testMode: false, limit: 50, page: 1 };

async function openOwed(events: number) {
  const path = tempPath();
  const clock = new FakeClock();
  const store = await openTempStore({ path, clock });
  await store.endpoints.create(endpointOf('whk_1'));
  const committed = await store.journal.append(eventsOf('call_1', events));
  const ids = committed.map(({ deliveries }) => deliveries[0]!.deliveryId);
  return { path, clock, store, committed, ids };
}

const retrying = (nextAttemptUnixMs: number): AttemptOutcome => ({ state: 'retrying', nextAttemptUnixMs });
const delivered: AttemptOutcome = { state: 'delivered', nextAttemptUnixMs: null };
const dead: AttemptOutcome = { state: 'dead', nextAttemptUnixMs: null };
const idsOf = (pending: readonly PendingDelivery[]) => pending.map(({ id }) => id);

describeOnEachEngine('what is owed', () => {
  it('is read in journal order, page by page, with its envelope', async () => {
    const { store, ids, committed } = await openOwed(5);
    const first = await store.outbox.unfinished(START, 2);
    expect(idsOf(first)).toEqual(ids.slice(0, 2));
    expect(first[0]).toEqual({
      id: ids[0],
      endpointId: 'whk_1',
      position: 1,
      attempts: 0,
      nextAttemptUnixMs: null,
      envelope: committed[0]!.envelope,
      isManual: false,
      body: null,
      createdUnixMs: Date.parse('2026-11-20T12:00:00.000Z'),
      refusals: 0,
      isAside: false,
      previousUndelivered: [],
    });
    const rest = await store.outbox.unfinished(first[1]!, 10);
    expect(idsOf(rest)).toEqual(ids.slice(2));
    expect(await store.outbox.unfinished(rest[2]!, 10)).toEqual([]);
  });

  it('is paged through where one event is owed to many', async () => {
    const { store } = await openOwed(1);
    for (let n = 2; n <= 5; n++) await store.endpoints.create(endpointOf(`whk_${n}`));
    await store.journal.append(eventsOf('call_2', 3));
    const seen: PendingDelivery[] = [];
    for (let after = START; ; after = seen.at(-1)!) {
      const page = await store.outbox.unfinished(after, 2);
      if (page.length === 0) break;
      seen.push(...page);
    }
    expect(seen).toHaveLength(1 + 3 * 5);
    expect(new Set(idsOf(seen)).size).toBe(16);
    expect(seen.map(({ position }) => position)).toEqual(
      seen.map(({ position }) => position).sort((a, b) => a - b),
    );
  });

  it('is owed still after a restart, with its attempts and its next one', async () => {
    const { store, path, ids } = await openOwed(2);
    await store.outbox.record(attemptOf(ids[0]!, 1), retrying(1_700_000_005_000));
    await store.close();
    const again = await openTempStore({ path });
    expect(await again.outbox.unfinished(START, 10)).toMatchObject([
      { id: ids[0], attempts: 1, nextAttemptUnixMs: 1_700_000_005_000 },
      { id: ids[1], attempts: 0, nextAttemptUnixMs: null },
    ]);
  });

  it('is loaded one by one while it is owed', async () => {
    const { store, ids } = await openOwed(1);
    expect(await store.outbox.load(ids[0]!)).toMatchObject({ id: ids[0], position: 1 });
    expect(await store.outbox.load('dlv_unknown')).toBeUndefined();
    await store.outbox.record(attemptOf(ids[0]!, 1), delivered);
    expect(await store.outbox.load(ids[0]!)).toBeUndefined();
  });

  it('is owed no longer once the endpoint is removed', async () => {
    const { store, ids } = await openOwed(1);
    await store.endpoints.remove(WORKSPACE, 'whk_1');
    expect(await store.outbox.unfinished(START, 10)).toEqual([]);
    expect(await store.outbox.load(ids[0]!)).toBeUndefined();
    expect(await store.outbox.endpoints()).toEqual([]);
  });
});

describeOnEachEngine('recording attempts', () => {
  it('moves a delivery from pending over retrying to delivered or dead, and shows each', async () => {
    const { store, ids, path } = await openOwed(3);
    await store.outbox.record(attemptOf(ids[0]!, 1), retrying(1_700_000_005_000));
    await store.outbox.record(attemptOf(ids[0]!, 2, { status: 200, errorClass: null }), delivered);
    await store.outbox.record(attemptOf(ids[1]!, 1, { status: null, errorClass: 'timeout_response' }), dead);
    expect(idsOf(await store.outbox.unfinished(START, 10))).toEqual([ids[2]]);
    const log = await store.deliveries.list({ ...PAGE, endpointId: 'whk_1' });
    expect(log.total).toBe(3);
    expect(log.items).toMatchObject([
      { id: ids[2], state: 'pending', attempts: 0, lastStatus: null, lastError: null, nextAttemptAt: null },
      { id: ids[1], state: 'dead', attempts: 1, lastStatus: null, lastError: 'timeout_response' },
      { id: ids[0], state: 'delivered', attempts: 2, lastStatus: 200, lastError: null, nextAttemptAt: null },
    ]);
    expect(await rowsIn(path, 'select number, trigger_name from attempts order by number')).toEqual([
      { number: 1, trigger_name: 'event' },
      { number: 1, trigger_name: 'event' },
      { number: 2, trigger_name: 'retry' },
    ]);
    expect(store.stats.outbox).toMatchObject({ attempts: 3, orphanAttempts: 0 });
  });

  it('shows when the next attempt is due', async () => {
    const { store, ids } = await openOwed(1);
    await store.outbox.record(attemptOf(ids[0]!, 1), retrying(Date.UTC(2026, 10, 20, 12, 0, 5)));
    const { items } = await store.deliveries.list({ ...PAGE, endpointId: 'whk_1' });
    expect(items[0]).toMatchObject({
      state: 'retrying',
      nextAttemptAt: '2026-11-20T12:00:05.000Z',
      createdAt: '2026-11-20T12:00:00.000Z',
      eventType: 'call_started',
    });
    expect(items[0]!.eventId).toMatch(/^evt_/);
  });

  it('keeps what a receiver answered, without the NUL that no database agrees on', async () => {
    const { store, ids, path } = await openOwed(1);
    await store.outbox.record(attemptOf(ids[0]!, 1, { responseBody: 'a\0b' }), dead);
    expect(await rowsIn(path, 'select response_body, duration_ms from attempts')).toEqual([
      { response_body: 'a\uFFFDb', duration_ms: 3.25 },
    ]);
  });

  it('counts an attempt whose delivery is gone, and writes nothing', async () => {
    const { store, path } = await openOwed(1);
    await store.outbox.record(attemptOf('dlv_purged', 1), delivered);
    expect(store.stats.outbox).toMatchObject({ attempts: 0, orphanAttempts: 1 });
    expect(await rowsIn(path, 'select id from attempts')).toEqual([]);
  });

  it('commits what ended together in one transaction, and each caller hears of its own', async () => {
    const { store, ids, path } = await openOwed(40);
    const gone = store.outbox.record(attemptOf('dlv_purged', 1), delivered);
    await Promise.all([
      ...ids.map((id, index) =>
        store.outbox.record(attemptOf(id, 1), index % 3 === 0 ? retrying(index) : delivered),
      ),
      gone,
    ]);
    expect(store.stats.outbox).toMatchObject({ attempts: 40, orphanAttempts: 1, batches: 1 });
    const states = await rowsIn(
      path,
      'select state, next_attempt_unix_ms as next from deliveries order by event_position',
    );
    expect(states).toEqual(
      ids.map((_, index) =>
        index % 3 === 0 ? { state: 'retrying', next: index } : { state: 'delivered', next: null },
      ),
    );
  });

  it('lets one that cannot be written fail alone', async () => {
    const { store, ids } = await openOwed(3);
    const first = attemptOf(ids[0]!, 1);
    await store.outbox.record(first, retrying(1));
    const results = await Promise.allSettled([
      store.outbox.record(attemptOf(ids[1]!, 1), delivered),
      store.outbox.record({ ...first, number: 2 }, delivered),
      store.outbox.record(attemptOf(ids[2]!, 1), delivered),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(idsOf(await store.outbox.unfinished(START, 10))).toEqual([ids[0]]);
  });

  it('keeps strikes, what stepped aside and what was named over a restart', async () => {
    const { store, ids, path, committed } = await openOwed(3);
    const place = { endpointId: 'whk_1', resourceId: 'call_1' };
    const undelivered = { ...place, position: 1, eventId: committed[0]!.envelope.id, isDead: false };
    await store.outbox.record(attemptOf(ids[0]!, 3), {
      ...retrying(5),
      refusals: 3,
      isAside: true,
      undelivered,
    });
    await store.outbox.record(attemptOf(ids[1]!, 1), {
      ...retrying(6),
      previousUndelivered: [undelivered.eventId],
    });
    await store.close();
    const again = await openTempStore({ path });
    expect(await again.outbox.unfinished(START, 10)).toMatchObject([
      { id: ids[0], refusals: 3, isAside: true },
      { id: ids[1], refusals: 0, isAside: false, previousUndelivered: [undelivered.eventId] },
      { id: ids[2], previousUndelivered: [] },
    ]);
    expect(await again.outbox.undelivered(10)).toEqual([undelivered]);
    expect(idsOf(await again.outbox.following(place, 0, 10))).toEqual([ids[1], ids[2]]);
    expect(idsOf(await again.outbox.following(place, 2, 10))).toEqual([ids[2]]);
    await again.outbox.record(attemptOf(ids[1]!, 2), { ...delivered, named: { ...place, positions: [1] } });
    expect(await again.outbox.undelivered(10)).toEqual([]);
  });

  it('writes the attempt and the state together or neither', async () => {
    const { store, ids, path } = await openOwed(1);
    const attempt = attemptOf(ids[0]!, 1);
    await store.outbox.record(attempt, retrying(1));
    await expect(store.outbox.record({ ...attempt, number: 2 }, delivered)).rejects.toThrow(/unique/i);
    expect(await rowsIn(path, 'select state, attempts from deliveries')).toEqual([
      { state: 'retrying', attempts: 1 },
    ]);
  });
});
