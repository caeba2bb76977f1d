import { expect, it } from 'vitest';
import { FakeClock } from '../fakes/clock.ts';
import { attemptOf, endpointOf, eventsOf, GOOD, WORKSPACE } from './samples.ts';
import { describeOnEachEngine, openTempStore, rowsIn, tempPath } from './temp-store.ts';

const DAY_MS = 86_400_000;
const ALL = { workspaceId: WORKSPACE, limit: 1_000 };

async function openAged() {
  const path = tempPath();
  const clock = new FakeClock();
  const store = await openTempStore({ path, clock });
  await store.endpoints.create(endpointOf('whk_1'));
  const commit = async (callId: string, events: number) => {
    const committed = await store.journal.append(eventsOf(callId, events));
    return committed.map(({ deliveries }) => deliveries[0]!.deliveryId);
  };
  const settle = async (ids: readonly string[]) => {
    for (const id of ids) {
      await store.outbox.record(attemptOf(id, 1, GOOD), { state: 'delivered', nextAttemptUnixMs: null });
    }
  };
  const purge = (limit = 1_000) => store.purge({ beforeUnixMs: clock.unixMs() - 30 * DAY_MS, limit });
  return { path, clock, store, commit, settle, purge };
}

describeOnEachEngine('a purge', () => {
  it('deletes old events with their deliveries and attempts, and no younger ones', async () => {
    const { path, clock, store, commit, settle, purge } = await openAged();
    await settle(await commit('call_1', 4));
    clock.advance(20 * DAY_MS);
    await settle(await commit('call_2', 3));
    clock.advance(10 * DAY_MS + 1);
    expect(await purge()).toEqual({ events: 4, deliveries: 4, idempotency: 0, inbound: 0 });
    expect(await store.journal.bounds()).toEqual({ first: 5, last: 7 });
    expect((await store.journal.read(ALL)).map(({ position }) => position)).toEqual([5, 6, 7]);
    expect(await rowsIn(path, 'select count(*) as n from attempts')).toEqual([{ n: 3 }]);
    expect(await purge()).toEqual({ events: 0, deliveries: 0, idempotency: 0, inbound: 0 });
    expect(store.stats.retention).toMatchObject({ purgedEvents: 4, purgedDeliveries: 4 });
  });

  it('goes in short passes, oldest first', async () => {
    const { clock, commit, settle, purge } = await openAged();
    await settle(await commit('call_1', 5));
    clock.advance(31 * DAY_MS);
    const passes = [await purge(2), await purge(2), await purge(2), await purge(2)];
    expect(passes.map(({ events }) => events)).toEqual([2, 2, 1, 0]);
  });

  it('never gives a position out twice, even when everything is gone', async () => {
    const { clock, store, commit, settle, purge } = await openAged();
    await settle(await commit('call_1', 3));
    clock.advance(31 * DAY_MS);
    await purge();
    expect(await store.journal.bounds()).toEqual({ first: 4, last: 3 });
    const [next] = await store.journal.append(eventsOf('call_2', 1));
    expect(next!.position).toBe(4);
  });

  it('keeps what is still owed, and everything after it, until the endpoint is removed', async () => {
    const { clock, store, commit, settle, purge } = await openAged();
    const ids = await commit('call_1', 4);
    await settle([ids[0]!, ids[1]!, ids[3]!]);
    clock.advance(31 * DAY_MS);
    expect(await purge()).toMatchObject({ events: 2, deliveries: 2 });
    expect(await store.outbox.unfinished({ position: 0, id: '' }, 10)).toMatchObject([{ id: ids[2] }]);
    await store.endpoints.remove(WORKSPACE, 'whk_1');
    expect(await purge()).toMatchObject({ events: 2, deliveries: 2 });
  });

  it('keeps the story of a completed call whose events are gone', async () => {
    const { clock, store, purge } = await openAged();
    await store.endpoints.remove(WORKSPACE, 'whk_1');
    const records = eventsOf('call_1', 3).map(({ stamps, envelope }) => ({
      stamps,
      envelope: { ...envelope, type: envelope.sequence === 3 ? 'call_completed' : envelope.type },
    }));
    await store.journal.append(records);
    const before = await store.calls.get(WORKSPACE, 'call_1');
    clock.advance(31 * DAY_MS);
    expect(await purge()).toMatchObject({ events: 3 });
    expect(await store.calls.get(WORKSPACE, 'call_1')).toEqual(before);
  });

  it('deletes answers that have expired, whatever the age of events', async () => {
    const { path, clock, store, purge } = await openAged();
    for (const [key, expiresInMs] of [
      ['a', 1],
      ['b', 2],
      ['c', DAY_MS],
    ] as const) {
      const entry = { bodyHash: 'h', status: 200, answer: {}, expiresUnixMs: clock.unixMs() + expiresInMs };
      await store.idempotency.remember('key_1', key, entry);
    }
    clock.advance(10);
    expect(await purge(1)).toMatchObject({ idempotency: 1 });
    expect(await purge()).toMatchObject({ idempotency: 1 });
    expect(await rowsIn(path, 'select idempotency_key from idempotency')).toEqual([{ idempotency_key: 'c' }]);
  });

  it('lets go of what was held too long for an endpoint that is switched off', async () => {
    const { clock, store, commit, purge } = await openAged();
    await commit('call_1', 3);
    clock.advance(30 * DAY_MS + 1);
    expect(await purge()).toMatchObject({ events: 0 });
    await store.endpoints.update(WORKSPACE, 'whk_1', { enabled: false });
    expect(await purge()).toMatchObject({ events: 3, deliveries: 3 });
  });
});
