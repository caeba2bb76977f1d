import { expect, it } from 'vitest';
import type { DeliveryState } from '../../src/delivery/outbox.ts';
import { FakeClock } from '../fakes/clock.ts';
import { attemptOf, endpointOf, eventsOf, GOOD, WORKSPACE } from './samples.ts';
import { describeOnEachEngine, openTempStore, tempPath } from './temp-store.ts';

const PAGE = { workspaceId: WORKSPACE, testMode: false, limit: 50, page: 1 };
const START = { position: 0, id: '' };

async function openDead(counts: { readonly [endpointId: string]: number }) {
  const clock = new FakeClock();
  const store = await openTempStore({ clock });
  for (const id of Object.keys(counts)) await store.endpoints.create(endpointOf(id));
  const most = Math.max(...Object.values(counts));
  const committed = await store.journal.append(eventsOf('call_1', most));
  const settle = async (id: string, state: DeliveryState) => {
    clock.advance(1_000);
    await store.outbox.record(attemptOf(id, 1, state === 'delivered' ? GOOD : {}), {
      state,
      nextAttemptUnixMs: null,
    });
  };
  const dead: string[] = [];
  for (const [index, { deliveries }] of committed.entries()) {
    for (const { deliveryId, endpointId } of deliveries) {
      const isDead = index < counts[endpointId]!;
      await settle(deliveryId, isDead ? 'dead' : 'delivered');
      if (isDead) dead.unshift(deliveryId);
    }
  }
  return { clock, store, dead, committed };
}

const cursorOf = (place: string) => Buffer.from(place).toString('base64url');
const FORGED = ['["a","b"]', '[1.5,"b"]', '[1e308,"b"]', '[99999999999999999999,"b"]', '["1","b"]', '[1,2]'];

const idsOf = (page: { items: readonly { id: string }[] }) => page.items.map(({ id }) => id);

describeOnEachEngine('dead letters', () => {
  it('of several endpoints are one list, newest first, page after page', async () => {
    const { store, dead } = await openDead({ whk_1: 5, whk_2: 3 });
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query = { ...PAGE, limit: 3, ...(cursor !== null && { cursor }) };
      const page = await store.deliveries.deadLetters(query);
      expect(page.total).toBe(8);
      seen.push(...idsOf(page));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(dead);
    expect(idsOf(await store.deliveries.deadLetters({ ...PAGE, limit: 3, page: 2 }))).toEqual(
      dead.slice(3, 6),
    );
    const ofOne = await store.deliveries.deadLetters({ ...PAGE, endpointId: 'whk_2' });
    expect(ofOne.items.map(({ endpointId }) => endpointId)).toEqual(['whk_2', 'whk_2', 'whk_2']);
  });

  it('are cut out by when they were given up', async () => {
    const { store, dead } = await openDead({ whk_1: 4 });
    const all = await store.deliveries.deadLetters(PAGE);
    const [, second, third] = all.items;
    const range = { sinceUnixMs: Date.parse(third!.settledAt!), untilUnixMs: Date.parse(second!.settledAt!) };
    expect(idsOf(await store.deliveries.deadLetters({ ...PAGE, ...range }))).toEqual([dead[2]]);
  });

  it('are seen by their workspace and mode only, and not with a stranger’s cursor', async () => {
    const { store } = await openDead({ whk_1: 2 });
    expect((await store.deliveries.deadLetters({ ...PAGE, workspaceId: 'ws_other' })).total).toBe(0);
    expect((await store.deliveries.deadLetters({ ...PAGE, testMode: true })).total).toBe(0);
    await expect(store.deliveries.deadLetters({ ...PAGE, cursor: 'bm9wZQ' })).rejects.toThrow(
      /not one of ours/,
    );
  });
});

describeOnEachEngine('a cursor', () => {
  it('of values that its columns cannot hold is refused, and leads on where it is ours', async () => {
    const { store, dead } = await openDead({ whk_1: 3 });
    const lists = [
      (cursor: string) => store.deliveries.deadLetters({ ...PAGE, cursor }),
      (cursor: string) => store.deliveries.list({ ...PAGE, endpointId: 'whk_1', cursor }),
      (cursor: string) => store.inbound.log({ ...PAGE, hookId: 'inh_1', cursor }),
    ];
    for (const list of lists) {
      for (const place of FORGED) {
        await expect(list(cursorOf(place))).rejects.toMatchObject({ code: 'invalid_argument' });
      }
    }
    const first = await store.deliveries.list({ ...PAGE, endpointId: 'whk_1', limit: 1 });
    expect(idsOf(await lists[1]!(first.nextCursor!))).toEqual(dead.slice(1));
  });
});

describeOnEachEngine('a replay', () => {
  it('is owed anew beside what it repeats, which then is no dead letter any more', async () => {
    const { store, dead, committed } = await openDead({ whk_1: 2 });
    const wish = { deliveryId: dead[0]!, replayId: 'dlv_again', sentAs: null };
    const [made] = await store.deliveries.replay([wish]);
    expect(made).toMatchObject({ id: 'dlv_again', isManual: true, attempts: 0 });
    expect(made!.envelope).toEqual(committed[1]!.envelope);
    expect(await store.outbox.unfinished(START, 10)).toEqual([expect.objectContaining(made!)]);
    expect(idsOf(await store.deliveries.deadLetters(PAGE))).toEqual([dead[1]]);
    expect(await store.deliveries.get(PAGE, dead[0]!)).toMatchObject({
      state: 'dead',
      replayedAs: 'dlv_again',
    });
    expect(await store.deliveries.get(PAGE, 'dlv_again')).toMatchObject({ state: 'pending', isManual: true });
  });

  it('under a new id goes by it wherever it is read, also when it is replayed itself', async () => {
    const { store, dead } = await openDead({ whk_1: 1 });
    await store.deliveries.replay([{ deliveryId: dead[0]!, replayId: 'dlv_2', sentAs: 'evt_new' }]);
    expect((await store.outbox.load('dlv_2'))?.envelope.id).toBe('evt_new');
    expect(await store.deliveries.get(PAGE, 'dlv_2')).toMatchObject({ eventId: 'evt_new' });
    const [again] = await store.deliveries.replay([{ deliveryId: 'dlv_2', replayId: 'dlv_3', sentAs: null }]);
    expect(again?.envelope.id).toBe('evt_new');
  });

  it('of what is not there is left out', async () => {
    const { store } = await openDead({ whk_1: 1 });
    expect(
      await store.deliveries.replay([{ deliveryId: 'dlv_none', replayId: 'dlv_x', sentAs: null }]),
    ).toEqual([]);
  });
});

describeOnEachEngine('a delivery', () => {
  it('is told with every attempt as it was', async () => {
    const { store, dead } = await openDead({ whk_1: 1 });
    const [attempt] = await store.deliveries.attempts(dead[0]!);
    const { id } = attempt!;
    expect(attempt).toEqual({ ...attemptOf(dead[0]!, 1, { id }), nextAttemptAt: null });
  });

  it('that is owed to an endpoint switched off is held, unread by delivery, and owed again when it is on', async () => {
    const store = await openTempStore();
    await store.endpoints.create(endpointOf('whk_1'));
    await store.journal.append(eventsOf('call_1', 1));
    await store.endpoints.update(WORKSPACE, 'whk_1', { enabled: false });
    await store.journal.append(eventsOf('call_2', 1));
    const states = async () =>
      (await store.deliveries.list({ ...PAGE, endpointId: 'whk_1' })).items.map(({ state }) => state);
    expect(await states()).toEqual(['held', 'held']);
    expect(await store.outbox.unfinished(START, 10)).toEqual([]);
    await store.endpoints.update(WORKSPACE, 'whk_1', { enabled: true });
    expect(await states()).toEqual(['pending', 'pending']);
    expect(await store.outbox.unfinished(START, 10)).toHaveLength(2);
  });
});

describeOnEachEngine('the ring of keys', () => {
  const K1 = { id: 'k1', key: new Uint8Array(32).fill(7) };
  const K2 = { id: 'k2', key: new Uint8Array(32).fill(9) };

  it('turns: what an old key sealed is sealed anew at the next start, and the old key may go', async () => {
    const { path, store } = await openWithSecrets(K1);
    const before = await store.endpoints.get(WORKSPACE, 'whk_1');
    await store.close();
    const turned = await openTempStore({ path, encryptionKeys: [K2, K1] });
    expect(turned.stats.secrets).toEqual({ resealed: 1 });
    await turned.close();
    const after = await openTempStore({ path, encryptionKeys: [K2] });
    expect(await after.endpoints.get(WORKSPACE, 'whk_1')).toEqual(before);
    expect(after.stats.secrets).toEqual({ resealed: 0 });
  });
});

async function openWithSecrets(key: { id: string; key: Uint8Array }) {
  const path = tempPath();
  const store = await openTempStore({ path, encryptionKeys: [key] });
  await store.endpoints.create(
    endpointOf('whk_1', { auth: { kind: 'basic', username: 'crm', password: 'hidden' } }),
  );
  return { path, store };
}
