import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, vi } from 'vitest';
import { attemptOf, endpointOf, eventsOf, WORKSPACE } from './samples.ts';
import { atTheEnd, openTempStore, tempPath } from './temp-store.ts';

const PAGE = { workspaceId: WORKSPACE, testMode: false, limit: 2, page: 1 };
/** Tables that grow with traffic. Endpoints, keys and credentials are few. */
const BIG_TABLES = /^SCAN (?:events|calls|deliveries|attempts|sent_bodies|idempotency)\b/;
/** Indexes that hold open calls and owed deliveries only. */
const SMALL_INDEXES = /USING (?:COVERING )?INDEX (?:calls_open|deliveries_owed)\b/;

/** Every statement any store prepares from now to the end of the test. */
function listenToStatements(): () => readonly string[] {
  const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare');
  atTheEnd(() => prepare.mockRestore());
  return () => [...new Set(prepare.mock.calls.map(([sql]) => sql))];
}

/** Uses every port in every way that makes a different statement. */
async function useEverything(path: string): Promise<void> {
  const first = await openTempStore({ path });
  await first.endpoints.create(endpointOf('whk_1'));
  await first.journal.commit({ incarnation: 'nod_1', first: 1, records: eventsOf('call_1', 3) });
  await first.close();
  const store = await openTempStore({ path });
  const { journal, outbox, endpoints, deliveries, calls, keys, credentials, idempotency } = store;
  await journal.commit({ incarnation: 'nod_2', first: 1, records: eventsOf('call_1', 60) });
  await journal.append(eventsOf('call_1', 2));
  for (const filter of [
    {},
    { testMode: true },
    { resourceId: 'call_1' },
    { agentId: 'echo' },
    { types: ['call.*', 'dtmf_received'] },
    { testMode: false, resourceId: 'call_1', agentId: 'echo', types: ['x'] },
  ]) {
    await journal.read({ workspaceId: WORKSPACE, limit: 10, after: 5, ...filter });
  }
  await journal.bounds();
  await journal.openCalls('nod_1');
  await journal.incarnationsWithOpenCalls();
  await journal.forgetCursor('nod_1');
  const [owed] = await outbox.unfinished({ position: 0, id: '' }, 10);
  await outbox.load(owed!.id);
  for (const filter of [
    {},
    { state: 'active' },
    { direction: 'inbound' },
    { agentId: 'echo' },
    { from: 'a' },
    { to: 'b' },
    { state: 'active', direction: 'inbound', agentId: 'echo', from: 'a', to: 'b' },
  ]) {
    await calls.list({ ...PAGE, ...filter });
    await calls.list({ ...PAGE, ...filter, page: 2 });
    const cursor = Buffer.from('["2027","call_2"]').toString('base64url');
    await calls.list({ ...PAGE, ...filter, cursor });
  }
  await calls.get(WORKSPACE, 'call_1');
  const ofHook = { ...PAGE, endpointId: 'whk_1' };
  const log = await deliveries.list(ofHook);
  await deliveries.list({ ...ofHook, cursor: log.nextCursor! });
  await deliveries.list({ ...ofHook, state: 'retrying' });
  await deliveries.get(PAGE, owed!.id);
  await deliveries.attempts(owed!.id);
  await outbox.record(attemptOf(owed!.id, 1), { state: 'dead', nextAttemptUnixMs: null });
  const range = { ...PAGE, limit: 1, sinceUnixMs: 1, untilUnixMs: 9e12 };
  await deliveries.deadLetters(range);
  const cursor = Buffer.from(`[9e12,"${owed!.id}"]`).toString('base64url');
  await deliveries.deadLetters({ ...range, endpointId: 'whk_1', cursor });
  await deliveries.replay([{ deliveryId: owed!.id, replayId: 'dlv_again', sentAs: null }]);
  await endpoints.update(WORKSPACE, 'whk_1', { description: 'x' });
  await endpoints.list(PAGE);
  await endpoints.remove(WORKSPACE, 'whk_1');
  await keys.list(PAGE);
  await credentials.list(PAGE);
  await idempotency.find('key_1', 'x');
  await idempotency.remember('key_1', 'x', { bodyHash: '', status: 1, answer: {}, expiresUnixMs: 0 });
  await store.purge({ beforeUnixMs: 9e12, limit: 10 });
}

describe('the plan of every statement', () => {
  it('finds its rows by an index in all tables that grow', async () => {
    const statements = listenToStatements();
    const path = tempPath();
    await useEverything(path);
    const planned = statements().filter((sql) => /^(?:select|update|delete|insert)\b/i.test(sql));
    expect(planned.length).toBeGreaterThan(60);
    const database = new DatabaseSync(path, { readOnly: true });
    atTheEnd(() => database.close());
    const scans = planned.flatMap((sql) =>
      database
        .prepare(`explain query plan ${sql}`)
        .all()
        .map(({ detail }) => String(detail))
        .filter((detail) => BIG_TABLES.test(detail) && !SMALL_INDEXES.test(detail))
        .map((detail) => `${detail}: ${sql}`),
    );
    expect(scans).toEqual([]);
  });

  it('finds the events of one call without walking its workspace', async () => {
    const statements = listenToStatements();
    const path = tempPath();
    const { journal } = await openTempStore({ path });
    await journal.append(eventsOf('call_1', 2));
    const query = { workspaceId: WORKSPACE, testMode: false, resourceId: 'call_1', limit: 10 };
    expect(await journal.read(query)).toHaveLength(2);
    const reading = statements().findLast((sql) => sql.startsWith('select "position", "body"'));
    const database = new DatabaseSync(path, { readOnly: true });
    atTheEnd(() => database.close());
    const plan = database.prepare(`explain query plan ${reading}`).all();
    expect(JSON.stringify(plan)).toContain('(resource_id=?)');
    expect(JSON.stringify(plan)).toContain('AND position=?');
  });

  it('would be noticed if it scanned', () => {
    expect('SCAN events').toMatch(BIG_TABLES);
    expect('SCAN calls USING COVERING INDEX calls_open').toMatch(SMALL_INDEXES);
    expect('SCAN calls USING INDEX calls_by_start').not.toMatch(SMALL_INDEXES);
  });
});
