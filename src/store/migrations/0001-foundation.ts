import { sql, type Kysely } from 'kysely';

/** Journal, calls, endpoints and their deliveries, keys, credentials, answers kept for repeated requests. */
export async function foundation(db: Kysely<unknown>): Promise<void> {
  await facts(db);
  await journal(db);
  await calls(db);
  await hooks(db);
  await access(db);
}

async function facts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('meta')
    .addColumn('key', 'text', (column) => column.primaryKey().notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('counters')
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('value', 'bigint', (column) => column.notNull())
    .execute();
}

async function journal(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('events')
    // Spelled `integer` it is SQLite's own row number: an insert then touches one tree less.
    .addColumn('position', 'integer', (column) => column.primaryKey().notNull())
    .addColumn('workspace_id', 'text', (column) => column.notNull())
    .addColumn('test_mode', 'boolean', (column) => column.notNull())
    .addColumn('resource_id', 'text', (column) => column.notNull())
    .addColumn('sequence', 'bigint', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('agent_id', 'text')
    .addColumn('committed_unix_ms', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addUniqueConstraint('events_resource_sequence', ['resource_id', 'sequence'])
    .execute();
  await db.schema
    .createIndex('events_workspace')
    .on('events')
    .columns(['workspace_id', 'position'])
    .execute();
}

async function calls(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('calls')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('workspace_id', 'text', (column) => column.notNull())
    .addColumn('test_mode', 'boolean', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('direction', 'text', (column) => column.notNull())
    .addColumn('agent_id', 'text')
    .addColumn('from_number', 'text')
    .addColumn('to_number', 'text')
    .addColumn('started_at', 'text', (column) => column.notNull())
    .addColumn('incarnation', 'text', (column) => column.notNull())
    .addColumn('completed_unix_ms', 'bigint')
    .addColumn('view', 'text', (column) => column.notNull())
    .addColumn('timeline', 'text')
    .execute();
  for (const filter of [undefined, 'state', 'direction', 'agent_id', 'from_number', 'to_number']) {
    const leading = ['workspace_id', 'test_mode', ...(filter === undefined ? [] : [filter])];
    await db.schema
      .createIndex(`calls_by_${filter ?? 'start'}`)
      .on('calls')
      .columns([...leading, 'started_at', 'id'])
      .execute();
  }
  // Holds live calls only, so it stays small however long the history grows.
  await db.schema
    .createIndex('calls_open')
    .on('calls')
    .columns(['incarnation', 'id'])
    .where(sql.ref('completed_unix_ms'), 'is', null)
    .execute();
}

async function hooks(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('endpoints')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('workspace_id', 'text', (column) => column.notNull())
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('events', 'text', (column) => column.notNull())
    .addColumn('agent_id', 'text')
    .addColumn('test_mode', 'boolean')
    .addColumn('secrets', 'text', (column) => column.notNull())
    .addColumn('headers', 'text', (column) => column.notNull())
    .addColumn('ordering', 'text', (column) => column.notNull())
    .addColumn('retry_delays_ms', 'text', (column) => column.notNull())
    .addColumn('retry_policy', 'text', (column) => column.notNull())
    .addColumn('timeout_ms', 'bigint', (column) => column.notNull())
    .addColumn('enabled', 'boolean', (column) => column.notNull())
    .addColumn('format', 'text', (column) => column.notNull())
    .addColumn('api_version', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('removed_at', 'text')
    .execute();
  await db.schema
    .createTable('deliveries')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('endpoint_id', 'text', (column) => column.notNull().references('endpoints.id'))
    .addColumn('event_position', 'bigint', (column) => column.notNull())
    .addColumn('test_mode', 'boolean', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('next_attempt_unix_ms', 'bigint')
    .addColumn('last_status', 'integer')
    .addColumn('last_error', 'text')
    .addColumn('created_unix_ms', 'bigint', (column) => column.notNull())
    .addColumn('settled_unix_ms', 'bigint')
    .execute();
  await db.schema
    .createIndex('deliveries_by_endpoint')
    .on('deliveries')
    .columns(['endpoint_id', 'test_mode', 'event_position'])
    .execute();
  // Holds what is still owed, in journal order.
  await db.schema
    .createIndex('deliveries_owed')
    .on('deliveries')
    .columns(['event_position', 'id'])
    .where(sql.ref('settled_unix_ms'), 'is', null)
    .execute();
  await attempts(db);
}

async function attempts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('attempts')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('delivery_id', 'text', (column) =>
      column.notNull().references('deliveries.id').onDelete('cascade'),
    )
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('trigger_name', 'text', (column) => column.notNull())
    .addColumn('started_at', 'text', (column) => column.notNull())
    .addColumn('duration_ms', 'real', (column) => column.notNull())
    .addColumn('request_headers', 'text', (column) => column.notNull())
    .addColumn('resolved_address', 'text')
    .addColumn('status', 'integer')
    .addColumn('response_headers', 'text', (column) => column.notNull())
    .addColumn('response_body', 'text', (column) => column.notNull())
    .addColumn('error_class', 'text')
    .addColumn('error_detail', 'text')
    .execute();
  await db.schema
    .createIndex('attempts_by_delivery')
    .on('attempts')
    .columns(['delivery_id', 'number'])
    .execute();
}

async function access(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('api_keys')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('workspace_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('secret_hash', 'text', (column) => column.notNull().unique())
    .addColumn('hint', 'text', (column) => column.notNull())
    .addColumn('test_mode', 'boolean', (column) => column.notNull())
    .addColumn('scopes', 'text', (column) => column.notNull())
    .addColumn('api_version', 'text', (column) => column.notNull())
    .addColumn('rate_per_minute', 'integer')
    .addColumn('ip_allow', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text')
    .addColumn('last_used_at', 'text')
    .execute();
  await db.schema
    .createTable('credentials')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('workspace_id', 'text', (column) => column.notNull())
    .addColumn('secret_hash', 'text', (column) => column.notNull().unique())
    .addColumn('dialect', 'text', (column) => column.notNull())
    .addColumn('agent_id', 'text')
    .addColumn('test_mode', 'boolean', (column) => column.notNull())
    .addColumn('label', 'text')
    .addColumn('auth_token', 'text')
    .addColumn('ip_allow', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('idempotency')
    .addColumn('key_id', 'text', (column) => column.notNull())
    .addColumn('idempotency_key', 'text', (column) => column.notNull())
    .addColumn('body_hash', 'text', (column) => column.notNull())
    .addColumn('status', 'integer', (column) => column.notNull())
    .addColumn('answer', 'text', (column) => column.notNull())
    .addColumn('expires_unix_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('idempotency_primary', ['key_id', 'idempotency_key'])
    .execute();
  await db.schema.createIndex('idempotency_expiry').on('idempotency').column('expires_unix_ms').execute();
}
