import type { Kysely } from 'kysely';

/** The highest token of a call's owners: what a former owner says after it is not taken. */
export async function fences(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('calls').addColumn('fence', 'bigint').execute();
}
