import type { Insertable, Kysely, Selectable } from 'kysely';
import type { CallQuery, CallStore, Page } from '../api/ports.ts';
import {
  TIMELINE_ENTRIES_MAX,
  timelineEntryOf,
  type CallView,
  type TimelineEntry,
} from '../events/call-view.ts';
import type { Envelope } from '../events/envelope.ts';
import { mapped, pageOf } from './page.ts';
import type { CallsTable, Schema } from './schema.ts';

/** Calls as their events tell them. The journal's commit writes them. */
export class SqlCalls implements CallStore {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  async get(workspaceId: string, id: string): Promise<CallView | undefined> {
    const row = await this.#db
      .selectFrom('calls')
      .selectAll()
      .where('id', '=', id)
      .where('workspace_id', '=', workspaceId)
      .executeTakeFirst();
    return row && viewOf(this.#db, row);
  }

  /** A list tells no timelines; `get` does. */
  async list(query: CallQuery): Promise<Page<CallView>> {
    let matching = this.#db
      .selectFrom('calls')
      .select(['id', 'started_at', 'view'])
      .where('workspace_id', '=', query.workspaceId)
      .where('test_mode', '=', query.testMode);
    if (query.state !== undefined) matching = matching.where('state', '=', query.state);
    if (query.direction !== undefined) matching = matching.where('direction', '=', query.direction);
    if (query.agentId !== undefined) matching = matching.where('agent_id', '=', query.agentId);
    if (query.from !== undefined) matching = matching.where('from_number', '=', query.from);
    if (query.to !== undefined) matching = matching.where('to_number', '=', query.to);
    const page = await pageOf(matching, ['started_at', 'id'], query);
    return mapped(page, (row) => JSON.parse(row.view) as CallView);
  }
}

/** The row of a view; the timeline is written once, when the call is complete. `fence` is 0 for none. */
export function rowOf(view: CallView, fence: number, nowUnixMs: number): Insertable<CallsTable> {
  return {
    id: view.id,
    workspace_id: view.workspace_id,
    test_mode: view.test_mode,
    state: view.state,
    direction: view.head.direction,
    agent_id: view.head.agent_id,
    from_number: view.head.from,
    to_number: view.head.to,
    started_at: view.head.started_at,
    incarnation: view.incarnation,
    completed_unix_ms: view.completed ? nowUnixMs : null,
    view: JSON.stringify({ ...view, timeline: [] }),
    timeline: view.completed ? JSON.stringify(view.timeline) : null,
    fence: fence === 0 ? null : fence,
  };
}

/** The whole view, the timeline of an open call told by its events. */
export async function viewOf(db: Kysely<Schema>, row: Selectable<CallsTable>): Promise<CallView> {
  const timeline =
    row.timeline === null
      ? await timelineOf(db, row.id)
      : (JSON.parse(row.timeline) as readonly TimelineEntry[]);
  return { ...(JSON.parse(row.view) as CallView), timeline };
}

async function timelineOf(db: Kysely<Schema>, callId: string): Promise<readonly TimelineEntry[]> {
  const rows = await db
    .selectFrom('events')
    .select('body')
    .where('resource_id', '=', callId)
    .orderBy('sequence')
    .limit(TIMELINE_ENTRIES_MAX)
    .execute();
  return rows.map((row) => timelineEntryOf(JSON.parse(row.body) as Envelope));
}
