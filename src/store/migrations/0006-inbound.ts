import { sql, type Kysely } from 'kysely';

/** Addresses strangers may call, what they handed in, and the keys by which a repetition is known. */
export async function inbound(db: Kysely<unknown>): Promise<void> {
  await hooks(db);
  await calls(db);
  await db.schema
    .createTable('inbound_keys')
    .addColumn('hook_id', 'text', (column) =>
      column.notNull().references('inbound_hooks.id').onDelete('cascade'),
    )
    .addColumn('key_hash', 'text', (column) => column.notNull())
    .addColumn('call_id', 'text', (column) => column.notNull())
    .addColumn('expires_unix_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('inbound_keys_primary', ['hook_id', 'key_hash'])
    .execute();
  await db.schema
    .createIndex('inbound_keys_expiry')
    .on('inbound_keys')
    .columns(['expires_unix_ms', 'hook_id', 'key_hash'])
    .execute();
}

async function hooks(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('inbound_hooks')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('workspace_id', 'text', (column) => column.notNull())
    .addColumn('test_mode', 'boolean', (column) => column.notNull())
    .addColumn('tokens', 'text', (column) => column.notNull())
    .addColumn('signature', 'text')
    .addColumn('terms', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .execute();
}

async function calls(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('inbound_calls')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('hook_id', 'text', (column) =>
      column.notNull().references('inbound_hooks.id').onDelete('cascade'),
    )
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('received_unix_ms', 'bigint', (column) => column.notNull())
    .addColumn('commands', 'text')
    .addColumn('done', 'integer', (column) => column.notNull())
    .addColumn('tries', 'integer', (column) => column.notNull())
    .addColumn('due_unix_ms', 'bigint')
    .addColumn('error_code', 'text')
    .addColumn('error_detail', 'text')
    .execute();
  await db.schema
    .createIndex('inbound_calls_by_hook')
    .on('inbound_calls')
    .columns(['hook_id', 'received_unix_ms', 'id'])
    .execute();
  await db.schema
    .createIndex('inbound_calls_by_state')
    .on('inbound_calls')
    .columns(['hook_id', 'state', 'received_unix_ms', 'id'])
    .execute();
  await db.schema
    .createIndex('inbound_calls_by_age')
    .on('inbound_calls')
    .columns(['received_unix_ms', 'id'])
    .execute();
  // Holds what is still to be carried out.
  await db.schema
    .createIndex('inbound_calls_due')
    .on('inbound_calls')
    .columns(['due_unix_ms', 'id'])
    .where(sql.ref('due_unix_ms'), 'is not', null)
    .execute();
}
