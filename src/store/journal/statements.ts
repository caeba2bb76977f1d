import type { Insertable, Kysely } from 'kysely';
import { BulkInsert } from '../compiled.ts';
import type { CallsTable, DeliveriesTable, EventsTable, Schema } from '../schema.ts';

type Columns<Table> = readonly (keyof Insertable<Table> & string)[];

const EVENT_COLUMNS: Columns<EventsTable> = [
  'position',
  'workspace_id',
  'test_mode',
  'resource_id',
  'sequence',
  'type',
  'agent_id',
  'committed_unix_ms',
  'body',
];

const CALL_COLUMNS: Columns<CallsTable> = [
  'id',
  'workspace_id',
  'test_mode',
  'state',
  'direction',
  'agent_id',
  'from_number',
  'to_number',
  'started_at',
  'incarnation',
  'completed_unix_ms',
  'view',
  'timeline',
  'fence',
];

const DELIVERY_COLUMNS: Columns<DeliveriesTable> = [
  'id',
  'endpoint_id',
  'event_position',
  'test_mode',
  'state',
  'attempts',
  'next_attempt_unix_ms',
  'last_status',
  'last_error',
  'created_unix_ms',
  'settled_unix_ms',
];

/** The statements of the commit, each compiled once: the builder costs more than SQLite does. */
export interface CommitStatements {
  readonly insertEvents: BulkInsert<'events'>;
  readonly insertDeliveries: BulkInsert<'deliveries'>;
  readonly upsertCalls: BulkInsert<'calls'>;
}

export function commitStatements(db: Kysely<Schema>): CommitStatements {
  return {
    insertEvents: new BulkInsert(EVENT_COLUMNS, (rows) => db.insertInto('events').values(rows)),
    insertDeliveries: new BulkInsert(DELIVERY_COLUMNS, (rows) => db.insertInto('deliveries').values(rows)),
    upsertCalls: new BulkInsert(CALL_COLUMNS, (rows) =>
      db
        .insertInto('calls')
        .values(rows)
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet((update) => ({
            state: update.ref('excluded.state'),
            incarnation: update.ref('excluded.incarnation'),
            completed_unix_ms: update.ref('excluded.completed_unix_ms'),
            view: update.ref('excluded.view'),
            timeline: update.ref('excluded.timeline'),
            fence: update.ref('excluded.fence'),
          })),
        ),
    ),
  };
}
