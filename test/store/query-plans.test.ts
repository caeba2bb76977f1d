import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, vi } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { attemptOf, endpointOf, eventsOf, hookOf, WORKSPACE } from './samples.ts';
import { atTheEnd, openTempStore, tempPath } from './temp-store.ts';

const PAGE = { workspaceId: WORKSPACE, testMode: false, limit: 2, page: 1 };
/** What may be read from end to end: few rows whatever the traffic, or what a statement made itself. */
const SMALL =
  /^SCAN (?:endpoints|inbound_hooks|agents|credentials|api_keys|endpoint_health|counters|meta|schema_migrations)\b/;
const OWN =
  /^SCAN (?:present|first|CONSTANT ROW|\d+ CONSTANT ROWS|\(?subquery-\d+\)?)\b|^SCAN \d+-ROW VALUES/i;
/** Holds open calls only. */
const SMALL_INDEX = /USING (?:COVERING )?INDEX calls_open\b/;

function isScan(detail: string): boolean {
  return /^SCAN\b/.test(detail) && !SMALL.test(detail) && !OWN.test(detail) && !SMALL_INDEX.test(detail);
}

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
    { testMode: false, agentId: 'echo', types: ['call.*'] },
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
  await outbox.following({ endpointId: 'whk_1', resourceId: 'call_1' }, 0, 10);
  await outbox.undelivered(10);
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
  await useInbound(store);
  await store.purge({ beforeUnixMs: 9e12, limit: 10 });
}

async function useInbound({ inbound }: Store): Promise<void> {
  const hook = hookOf('inh_1');
  await inbound.create(hook);
  await inbound.update(hook);
  const command = { action: 'hang_up', callId: 'call_1', command: { name: 'hang_up' } } as const;
  const events = [{ type: 'custom.x', data: {} }];
  const call = { hook, resource: { type: 'inbound', id: 'inh_1' }, region: 'local', keyHash: 'k' };
  for (const id of ['inc_1', 'inc_2']) {
    await inbound.accept({ ...call, id, plan: { commands: [command], events } }, () => undefined);
  }
  await inbound.refused({ id: 'inc_3', hookId: 'inh_1', fault: 'not_json', detail: '' });
  await inbound.due(9e12, 10);
  await inbound.nextDueUnixMs();
  await inbound.progressed('inc_1', { done: 1, tries: 1, error: null, dueUnixMs: null });
  await inbound.list(PAGE);
  const log = { ...PAGE, hookId: 'inh_1' };
  const cursor = Buffer.from('[9e12,"inc_2"]').toString('base64url');
  for (const query of [log, { ...log, page: 2 }, { ...log, cursor }, { ...log, state: 'refused' as const }]) {
    await inbound.log(query);
  }
  await inbound.remove('inh_1');
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
        .filter(isScan)
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

  it('finds events by every part of a filter, so that rare ones cost what a page costs', async () => {
    const statements = listenToStatements();
    const path = tempPath();
    const { journal } = await openTempStore({ path });
    await journal.append(eventsOf('call_1', 2));
    const query = { workspaceId: WORKSPACE, testMode: false, limit: 10 };
    const filters = [{}, { types: ['call.*'] }, { agentId: 'echo' }, { agentId: 'echo', types: ['call.*'] }];
    for (const filter of filters) expect(await journal.read({ ...query, ...filter })).not.toHaveLength(0);
    const database = new DatabaseSync(path, { readOnly: true });
    atTheEnd(() => database.close());
    const strands = statements().filter((sql) => sql.startsWith('select "position" from "events"'));
    const plans = strands.map((sql) =>
      String(database.prepare(`explain query plan ${sql}`).all()[0]!['detail']).replace(/^.*\(/, ''),
    );
    const [lead, end] = ['workspace_id=? AND test_mode=?', 'position>? AND position<?)'];
    expect(plans).toEqual([
      `${lead} AND ${end}`,
      `${lead} AND type=? AND ${end}`,
      `${lead} AND agent_id=? AND type=? AND ${end}`,
    ]);
  });

  it('would be noticed if it scanned', () => {
    for (const detail of ['SCAN events', 'SCAN own', 'SCAN calls USING INDEX calls_by_start']) {
      expect([detail, isScan(detail)]).toEqual([detail, true]);
    }
    for (const detail of ['SCAN endpoints', 'SCAN calls USING COVERING INDEX calls_open']) {
      expect([detail, isScan(detail)]).toEqual([detail, false]);
    }
  });
});
