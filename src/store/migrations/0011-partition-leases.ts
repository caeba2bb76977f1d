import type { Kysely } from 'kysely';

const PARTITIONS = 64;

/** Who delivers what, where several processes share the database; and who they are. */
export async function partitionLeases(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('partition_leases')
    .addColumn('partition', 'integer', (column) => column.primaryKey().notNull())
    .addColumn('holder', 'text')
    .addColumn('token', 'integer', (column) => column.notNull())
    .addColumn('until_unix_ms', 'integer', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('partition_holders')
    .addColumn('holder', 'text', (column) => column.primaryKey().notNull())
    .addColumn('until_unix_ms', 'integer', (column) => column.notNull())
    .execute();
  const leases = db as Kysely<{
    partition_leases: { partition: number; token: number; until_unix_ms: number };
  }>;
  const free = { token: 0, until_unix_ms: 0 };
  await leases
    .insertInto('partition_leases')
    .values(Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, ...free })))
    .execute();
}
