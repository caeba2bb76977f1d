import { sql, type Kysely } from 'kysely';

/** Every list of what grows begins where its rows are: no filter, however rare, is found by walking. */
export async function pageIndexes(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('events_workspace').execute();
  const lead = ['workspace_id', 'test_mode'];
  await db.schema
    .createIndex('events_by_mode')
    .on('events')
    .columns([...lead, 'position'])
    .execute();
  await db.schema
    .createIndex('events_by_type')
    .on('events')
    .columns([...lead, 'type', 'position'])
    .execute();
  await db.schema
    .createIndex('events_by_agent')
    .on('events')
    .columns([...lead, 'agent_id', 'type', 'position'])
    .where(sql.ref('agent_id'), 'is not', null)
    .execute();
  await db.schema
    .createIndex('deliveries_by_state')
    .on('deliveries')
    .columns(['endpoint_id', 'test_mode', 'state', 'event_position', 'id'])
    .execute();
  // Only what nobody has replayed is listed and counted: from the index alone, without a look at each row.
  await db.schema.dropIndex('deliveries_dead').execute();
  await db.schema
    .createIndex('deliveries_dead')
    .on('deliveries')
    .columns(['endpoint_id', 'test_mode', 'settled_unix_ms', 'id'])
    .where(sql<boolean>`state = 'dead' and replayed_as is null`)
    .execute();
  // By endpoint: what is held of one that is switched off may be millions, and nobody reads past it.
  await db.schema.dropIndex('deliveries_owed').execute();
  await db.schema
    .createIndex('deliveries_owed')
    .on('deliveries')
    .columns(['endpoint_id', 'event_position', 'id'])
    .where(sql.ref('settled_unix_ms'), 'is', null)
    .execute();
}
