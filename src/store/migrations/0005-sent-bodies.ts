import type { Kysely } from 'kysely';

/** What failed attempts sent: a release that writes an event otherwise sends these bytes all the same. */
export async function sentBodies(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('sent_bodies')
    .addColumn('delivery_id', 'text', (column) =>
      column.primaryKey().notNull().references('deliveries.id').onDelete('cascade'),
    )
    .addColumn('body', 'text', (column) => column.notNull())
    .execute();
}
