import type { Kysely } from 'kysely';

/** What processes that share the database have to say to each other. */
export async function fleetLetters(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('fleet_letters')
    .addColumn('sender', 'text', (column) => column.notNull())
    // The sender's own count: its letters are read in this order.
    .addColumn('number', 'bigint', (column) => column.notNull())
    .addColumn('addressee', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('sent_unix_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('fleet_letters_key', ['sender', 'number'])
    .execute();
  await db.schema
    .createIndex('fleet_letters_by_addressee')
    .on('fleet_letters')
    .columns(['addressee', 'sender', 'number'])
    .execute();
  await db.schema.createIndex('fleet_letters_by_age').on('fleet_letters').column('sent_unix_ms').execute();
}
