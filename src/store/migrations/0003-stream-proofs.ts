import type { Kysely } from 'kysely';

/** Every way a provider proves itself, what is set of its protocol, and the REST account behind it. */
export async function streamProofs(db: Kysely<unknown>): Promise<void> {
  for (const name of ['proof', 'options', 'control']) {
    await db.schema.alterTable('credentials').addColumn(name, 'text').execute();
  }
}
