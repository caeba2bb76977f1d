import type { Kysely, Transaction } from 'kysely';
import type { Clock } from '../../base/clock.ts';
import { invariant, VoiceError } from '../../base/errors.ts';
import type { Schema } from '../schema.ts';
import { foundation } from './0001-foundation.ts';
import { hooks } from './0002-hooks.ts';
import { streamProofs } from './0003-stream-proofs.ts';
import { deliveryHealth } from './0004-delivery-health.ts';
import { sentBodies } from './0005-sent-bodies.ts';
import { inbound } from './0006-inbound.ts';
import { pageIndexes } from './0007-page-indexes.ts';
import { agents } from './0008-agents.ts';
import { fences } from './0009-fences.ts';
import { recordings } from './0010-recordings.ts';
import { partitionLeases } from './0011-partition-leases.ts';
import { fleetLetters } from './0012-fleet-letters.ts';

/** One step of the schema. Once released it is never changed: the next change is the next number. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  up(db: Transaction<unknown>): Promise<void>;
}

export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: 'foundation', up: foundation },
  { version: 2, name: 'hooks', up: hooks },
  { version: 3, name: 'stream_proofs', up: streamProofs },
  { version: 4, name: 'delivery_health', up: deliveryHealth },
  { version: 5, name: 'sent_bodies', up: sentBodies },
  { version: 6, name: 'inbound', up: inbound },
  { version: 7, name: 'page_indexes', up: pageIndexes },
  { version: 8, name: 'agents', up: agents },
  { version: 9, name: 'fences', up: fences },
  { version: 10, name: 'recordings', up: recordings },
  { version: 11, name: 'partition_leases', up: partitionLeases },
  { version: 12, name: 'fleet_letters', up: fleetLetters },
];

/** Engines that lock by a row of a table would need these; ours do not. */
const LOCK_OPTIONS = { lockTable: '', lockRowId: '' };

/**
 * Brings the database to the newest schema this code knows, all of it or nothing; where others share it, one
 * process at a time.
 */
export async function migrate(
  db: Kysely<Schema>,
  clock: Pick<Clock, 'unixMs'>,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  invariant(
    migrations.every(({ version }, index) => version === index + 1),
    'migrations are numbered from 1 without a hole',
  );
  await db.connection().execute(async (connection) => {
    // Kysely's own: an advisory lock on PostgreSQL; nothing on SQLite, whose file is ours alone.
    const { adapter } = connection.getExecutor();
    await adapter.acquireMigrationLock(connection, LOCK_OPTIONS);
    try {
      await connection.transaction().execute((transaction) => advance(transaction, clock, migrations));
    } finally {
      await adapter.releaseMigrationLock(connection, LOCK_OPTIONS);
    }
  });
}

async function advance(
  transaction: Transaction<Schema>,
  clock: Pick<Clock, 'unixMs'>,
  migrations: readonly Migration[],
): Promise<void> {
  const reached = await versionOf(transaction);
  if (reached > migrations.length) {
    throw new VoiceError(
      'failed_precondition',
      `the store has schema ${reached}, written by a newer Omnivoice; this one knows schemas up to ` +
        `${migrations.length}. Start the newer version, or restore a backup from before the upgrade.`,
    );
  }
  for (const migration of migrations.slice(reached)) {
    await migration.up(transaction as unknown as Transaction<unknown>);
    await transaction
      .insertInto('schema_migrations')
      .values({
        version: migration.version,
        name: migration.name,
        applied_at: new Date(clock.unixMs()).toISOString(),
      })
      .execute();
  }
}

async function versionOf(transaction: Transaction<Schema>): Promise<number> {
  await transaction.schema
    .createTable('schema_migrations')
    .ifNotExists()
    .addColumn('version', 'integer', (column) => column.primaryKey().notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('applied_at', 'text', (column) => column.notNull())
    .execute();
  const { version } = await transaction
    .selectFrom('schema_migrations')
    .select((select) => select.fn.max<number | null>('version').as('version'))
    .executeTakeFirstOrThrow();
  return version ?? 0;
}
