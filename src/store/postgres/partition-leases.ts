import { sql, type Kysely } from 'kysely';
import type { Fence, LeaseBeat, LeaseTable } from '../../delivery/partitions/lease-table.ts';
import { PARTITIONS } from '../../delivery/partitions/partition.ts';
import type { Schema } from '../schema.ts';
import { LEASES_MOVED, tellFleet } from './fleet-notices.ts';

/** The database's own clock, also within a transaction (PostgreSQL, 9.9.5): no host's clock is asked. */
export const NOW_UNIX_MS = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

/** Leases as rows of the shared database. */
export class SqlPartitionLeases implements LeaseTable {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  async beat(holder: string, ttlMs: number): Promise<LeaseBeat> {
    const held = await this.#db
      .updateTable('partition_leases')
      .set({ until_unix_ms: sql<number>`${NOW_UNIX_MS} + ${sql.lit(ttlMs)}` })
      .where('partition', 'in', heldInOrder(this.#db, holder))
      .returning(['partition', 'token'])
      .execute();
    const there = await this.#there(holder, ttlMs);
    const rank = there.indexOf(holder);
    const share = Math.floor(PARTITIONS / there.length) + (rank < PARTITIONS % there.length ? 1 : 0);
    return { held, share };
  }

  async claim(holder: string, count: number, ttlMs: number): Promise<readonly Fence[]> {
    const leases = this.#db.updateTable('partition_leases');
    return leases
      .set({
        holder,
        token: sql<number>`token + 1`,
        until_unix_ms: sql<number>`${NOW_UNIX_MS} + ${sql.lit(ttlMs)}`,
      })
      .where('partition', 'in', (free) =>
        free
          .selectFrom('partition_leases')
          .select('partition')
          .where((where) =>
            where.or([where('holder', 'is', null), where('until_unix_ms', '<=', NOW_UNIX_MS)]),
          )
          .orderBy('partition')
          .limit(count)
          .forUpdate()
          .skipLocked(),
      )
      .returning(['partition', 'token'])
      .execute();
  }

  async release(holder: string, partitions: readonly number[]): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await transaction
        .updateTable('partition_leases')
        .set({ holder: null })
        .where('partition', 'in', heldInOrder(this.#db, holder))
        .where('partition', 'in', partitions)
        .execute();
      await tellFleet(transaction, LEASES_MOVED);
    });
  }

  async leave(holder: string): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await transaction
        .updateTable('partition_leases')
        .set({ holder: null })
        .where('partition', 'in', heldInOrder(this.#db, holder))
        .execute();
      await transaction.deleteFrom('partition_holders').where('holder', '=', holder).execute();
      await tellFleet(transaction, LEASES_MOVED);
    });
  }

  /** Says that `holder` is there; who is, in one order for all. */
  async #there(holder: string, ttlMs: number): Promise<readonly string[]> {
    const untilUnixMs = sql<number>`${NOW_UNIX_MS} + ${sql.lit(ttlMs)}`;
    const known = await this.#db
      .updateTable('partition_holders')
      .set({ until_unix_ms: untilUnixMs })
      .where('holder', '=', holder)
      .executeTakeFirstOrThrow();
    if (known.numUpdatedRows === 0n) await this.#join(holder, untilUnixMs);
    const rows = await this.#db
      .selectFrom('partition_holders')
      .select('holder')
      .where('until_unix_ms', '>', NOW_UNIX_MS)
      .orderBy('holder')
      .execute();
    return rows.map((row) => row.holder);
  }

  async #join(holder: string, untilUnixMs: ReturnType<typeof sql<number>>): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      // Those who ended without a word are forgotten by whoever comes next.
      await transaction.deleteFrom('partition_holders').where('until_unix_ms', '<=', NOW_UNIX_MS).execute();
      await transaction
        .insertInto('partition_holders')
        .values({ holder, until_unix_ms: untilUnixMs })
        .onConflict((conflict) => conflict.column('holder').doUpdateSet({ until_unix_ms: untilUnixMs }))
        .execute();
      await tellFleet(transaction, LEASES_MOVED);
    });
  }
}

/** Locked in one order, as records lock them: two that take the same rows do not wait for each other. */
function heldInOrder(db: Kysely<Schema>, holder: string) {
  return db
    .selectFrom('partition_leases')
    .select('partition')
    .where('holder', '=', holder)
    .orderBy('partition')
    .forUpdate();
}

/**
 * Which of `fences` still hold. Their rows stay as they are until the transaction ends, so that nobody
 * follows between this look and the commit.
 */
export async function fencesThatHold(
  transaction: Kysely<Schema>,
  fences: readonly Fence[],
): Promise<ReadonlySet<string>> {
  const partitions = [...new Set(fences.map(({ partition }) => partition))];
  const rows = await transaction
    .selectFrom('partition_leases')
    .select(['partition', 'token'])
    .where('partition', 'in', partitions)
    .where('holder', 'is not', null)
    .orderBy('partition')
    .forShare()
    .execute();
  return new Set(rows.map(nameOf));
}

/** A fence as a key. */
export function nameOf({ partition, token }: Fence): string {
  return `${partition}:${token}`;
}
