import { sql, type Kysely } from 'kysely';

/** What an endpoint may wish for beyond its first days, replays and dead letters, and whole attempt logs. */
export async function hooks(db: Kysely<unknown>): Promise<void> {
  await endpoints(db);
  await deliveries(db);
  await attempts(db);
}

async function endpoints(db: Kysely<unknown>): Promise<void> {
  const plain = JSON.stringify({ omniflow: null, voiceoi: false, secretHeader: null, ed25519: false });
  const table = db.schema.alterTable('endpoints');
  await table.addColumn('signatures', 'text', (column) => column.notNull().defaultTo(plain)).execute();
  await table.addColumn('auth', 'text').execute();
  await table.addColumn('hold_ms', 'bigint', (column) => column.notNull().defaultTo(0)).execute();
  await table.addColumn('success', 'text', (column) => column.notNull().defaultTo('2xx')).execute();
  await table.addColumn('description', 'text').execute();
  await table.addColumn('disabled_reason', 'text').execute();
}

async function deliveries(db: Kysely<unknown>): Promise<void> {
  const table = db.schema.alterTable('deliveries');
  // SQL's own word: a default for an old row must be a constant that both databases read as a boolean.
  await table.addColumn('is_manual', 'boolean', (column) => column.notNull().defaultTo(sql`false`)).execute();
  await table.addColumn('sent_as', 'text').execute();
  await table.addColumn('replayed_as', 'text').execute();
  // Holds what was given up, as it is listed: by endpoint, newest first.
  await db.schema
    .createIndex('deliveries_dead')
    .on('deliveries')
    .columns(['endpoint_id', 'test_mode', 'settled_unix_ms', 'id'])
    .where(sql.ref('state'), '=', sql.lit('dead'))
    .execute();
}

async function attempts(db: Kysely<unknown>): Promise<void> {
  const table = db.schema.alterTable('attempts');
  await table.addColumn('url', 'text', (column) => column.notNull().defaultTo('')).execute();
  await table.addColumn('timings', 'text', (column) => column.notNull().defaultTo('{}')).execute();
  await table.addColumn('body_ref', 'text', (column) => column.notNull().defaultTo('')).execute();
  await table.addColumn('body_bytes', 'integer', (column) => column.notNull().defaultTo(0)).execute();
  await table
    .addColumn('response_truncated', 'boolean', (column) => column.notNull().defaultTo(sql`false`))
    .execute();
  await table.addColumn('next_attempt_unix_ms', 'bigint').execute();
}
