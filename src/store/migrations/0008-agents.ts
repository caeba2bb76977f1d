import type { Kysely } from 'kysely';

/** Agents: what they are to be, sealed as it holds the keys of their backends. */
export async function agents(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('agents')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('workspace_id', 'text', (column) => column.notNull())
    .addColumn('test_mode', 'boolean', (column) => column.notNull())
    .addColumn('draft', 'text', (column) => column.notNull())
    .addColumn('published', 'text')
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('published_at', 'text')
    .execute();
  await db.schema
    .createIndex('agents_by_workspace')
    .on('agents')
    .columns(['workspace_id', 'test_mode', 'created_at', 'id'])
    .execute();
}
