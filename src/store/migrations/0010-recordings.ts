import type { Kysely } from 'kysely';

/** Recordings: what there is to fetch. The sound itself lies in files. */
export async function recordings(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('recordings')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('workspace_id', 'text', (column) => column.notNull())
    .addColumn('test_mode', 'boolean', (column) => column.notNull())
    .addColumn('call_id', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('format', 'text', (column) => column.notNull())
    .addColumn('sample_rate_hz', 'integer', (column) => column.notNull())
    .addColumn('started_at', 'text', (column) => column.notNull())
    .addColumn('duration_ms', 'integer')
    .addColumn('bytes', 'bigint')
    .addColumn('sha256', 'text')
    .addColumn('reason', 'text')
    .execute();
  await db.schema
    .createIndex('recordings_by_workspace')
    .on('recordings')
    .columns(['workspace_id', 'test_mode', 'started_at', 'id'])
    .execute();
  await db.schema.createIndex('recordings_by_call').on('recordings').columns(['call_id']).execute();
  await db.schema
    .createIndex('recordings_by_state')
    .on('recordings')
    .columns(['state', 'started_at'])
    .execute();
}
