import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, vi } from 'vitest';
import { endpointOf, eventsOf, WORKSPACE } from './samples.ts';
import { atTheEnd, openTempStore, tempPath } from './temp-store.ts';
import { useEverything } from './use-everything.ts';

/** What may be read from end to end: few rows whatever the traffic, or what a statement made itself. */
const SMALL =
  /^SCAN (?:endpoints|inbound_hooks|agents|credentials|api_keys|endpoint_health|counters|meta|schema_migrations)\b/;
const OWN =
  /^SCAN (?:present|first|counted|CONSTANT ROW|\d+ CONSTANT ROWS|\(?subquery-\d+\)?)\b|^SCAN \d+-ROW VALUES/i;
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

  it('counts dead letters in the index that holds nothing else', async () => {
    const statements = listenToStatements();
    const path = tempPath();
    const { deliveries, endpoints } = await openTempStore({ path });
    await endpoints.create(endpointOf('whk_1'));
    await deliveries.deadLetters({ workspaceId: WORKSPACE, testMode: false, limit: 10, page: 1 });
    const counting = statements().findLast((sql) => sql.startsWith('select count(*)'));
    const database = new DatabaseSync(path, { readOnly: true });
    atTheEnd(() => database.close());
    const plan = JSON.stringify(database.prepare(`explain query plan ${counting}`).all());
    expect(plan).toContain('USING INDEX deliveries_dead (endpoint_id=? AND test_mode=?)');
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
