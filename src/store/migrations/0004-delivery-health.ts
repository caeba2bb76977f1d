import { sql, type Kysely } from 'kysely';

/**
 * What must outlive a restart of sending: strikes, what stepped aside, what was named, and how endpoints are.
 */
export async function deliveryHealth(db: Kysely<unknown>): Promise<void> {
  const deliveries = db.schema.alterTable('deliveries');
  await deliveries.addColumn('refusals', 'integer', (column) => column.notNull().defaultTo(0)).execute();
  await deliveries
    .addColumn('is_aside', 'boolean', (column) => column.notNull().defaultTo(sql`false`))
    .execute();
  await deliveries.addColumn('previous_undelivered', 'text').execute();
  await db.schema
    .createTable('undelivered')
    .addColumn('endpoint_id', 'text', (column) => column.notNull())
    .addColumn('resource_id', 'text', (column) => column.notNull())
    .addColumn('position', 'bigint', (column) => column.notNull())
    .addColumn('event_id', 'text', (column) => column.notNull())
    .addColumn('is_dead', 'boolean', (column) => column.notNull())
    .addPrimaryKeyConstraint('undelivered_primary', ['endpoint_id', 'resource_id', 'position'])
    .execute();
  await db.schema.createIndex('undelivered_by_position').on('undelivered').columns(['position']).execute();
  await db.schema
    .createTable('endpoint_health')
    .addColumn('endpoint_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('record', 'text', (column) => column.notNull())
    .execute();
}
