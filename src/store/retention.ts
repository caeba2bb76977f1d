import type { Kysely } from 'kysely';
import type { Clock } from '../base/clock.ts';
import { PURGE_TURN, type Counters } from './counters.ts';
import type { Schema } from './schema.ts';

export interface PurgeQuery {
  /** What was committed before this instant goes; answers kept for repetition go when they have expired. */
  readonly beforeUnixMs: number;
  /** Rows of each kind in one pass: everybody waits while it runs, so passes are short and many. */
  readonly limit: number;
}

/** What a pass deleted; when no figure reached the limit there is nothing left to purge. */
export interface Purged {
  readonly events: number;
  readonly deliveries: number;
  readonly idempotency: number;
  readonly inbound: number;
}

/** Deletes what has been kept long enough, oldest first, one bounded pass a call. */
export class Retention {
  readonly stats = { purgedEvents: 0, purgedDeliveries: 0, purgedAnswers: 0, purgedInbound: 0 };
  readonly #db: Kysely<Schema>;
  readonly #counters: Counters;
  readonly #clock: Pick<Clock, 'unixMs'>;

  constructor(db: Kysely<Schema>, counters: Counters, clock: Pick<Clock, 'unixMs'>) {
    this.#db = db;
    this.#counters = counters;
    this.#clock = clock;
  }

  async purge(query: PurgeQuery): Promise<Purged> {
    const purged = await this.#db.transaction().execute(async (transaction) => {
      // One at a time in a fleet: two that delete the same rows in another order would wait for each other.
      await this.#counters.raise(transaction, PURGE_TURN, 0);
      const upTo = await lastToPurge(transaction, query);
      const deliveries = upTo === 0 ? 0 : await purgeDeliveries(transaction, upTo);
      const events = upTo === 0 ? 0 : await purgeEvents(transaction, upTo);
      const idempotency = await this.#purgeAnswers(transaction, query.limit);
      const keys = await this.#purgeKeys(transaction, query.limit);
      const calls = await purgeInbound(transaction, query);
      return { events, deliveries, idempotency, inbound: Math.max(keys, calls) };
    });
    this.stats.purgedEvents += purged.events;
    this.stats.purgedDeliveries += purged.deliveries;
    this.stats.purgedAnswers += purged.idempotency;
    this.stats.purgedInbound += purged.inbound;
    return purged;
  }

  async #purgeKeys(transaction: Kysely<Schema>, limit: number): Promise<number> {
    const expired = await transaction
      .selectFrom('inbound_keys')
      .select(['hook_id', 'key_hash'])
      .where('expires_unix_ms', '<=', this.#clock.unixMs())
      .orderBy('expires_unix_ms')
      .limit(limit)
      .execute();
    for (const { hook_id: hookId, key_hash: hash } of expired) {
      await transaction
        .deleteFrom('inbound_keys')
        .where('hook_id', '=', hookId)
        .where('key_hash', '=', hash)
        .execute();
    }
    return expired.length;
  }

  async #purgeAnswers(transaction: Kysely<Schema>, limit: number): Promise<number> {
    const expired = await transaction
      .selectFrom('idempotency')
      .select(['key_id', 'idempotency_key'])
      .where('expires_unix_ms', '<=', this.#clock.unixMs())
      .orderBy('expires_unix_ms')
      .limit(limit)
      .execute();
    for (const { key_id: keyId, idempotency_key: key } of expired) {
      await transaction
        .deleteFrom('idempotency')
        .where('key_id', '=', keyId)
        .where('idempotency_key', '=', key)
        .execute();
    }
    return expired.length;
  }
}

/** What came in at hooks; what is still to be done about it stays. */
async function purgeInbound(transaction: Kysely<Schema>, query: PurgeQuery): Promise<number> {
  const { numDeletedRows } = await transaction
    .deleteFrom('inbound_calls')
    .where('id', 'in', (rows) =>
      rows
        .selectFrom('inbound_calls')
        .select('id')
        .where('received_unix_ms', '<', query.beforeUnixMs)
        .where('due_unix_ms', 'is', null)
        .orderBy('received_unix_ms')
        .limit(query.limit),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** The last position of this pass; 0 for none. What is owed to an endpoint that is on stays, however old. */
async function lastToPurge(transaction: Kysely<Schema>, query: PurgeQuery): Promise<number> {
  const oldest = await transaction
    .selectFrom('events')
    .select(['position', 'committed_unix_ms'])
    .where('position', '>', 0)
    .orderBy('position')
    .limit(query.limit)
    .execute();
  const firstKept = oldest.findIndex((row) => row.committed_unix_ms >= query.beforeUnixMs);
  const last = (firstKept === -1 ? oldest : oldest.slice(0, firstKept)).at(-1);
  if (last === undefined) return 0;
  return Math.min(last.position, (await firstOwed(transaction)) - 1);
}

/** The first position that is still owed to an endpoint that is on; infinite for none. */
async function firstOwed(transaction: Kysely<Schema>): Promise<number> {
  const endpoints = await transaction
    .selectFrom('endpoints')
    .select('id')
    .where('removed_at', 'is', null)
    // What is held for an endpoint that nobody switches on again would keep the journal for ever.
    .where('enabled', '=', true)
    .execute();
  let first = Infinity;
  for (const { id } of endpoints) {
    const owed = await transaction
      .selectFrom('deliveries')
      .select('event_position')
      .where('endpoint_id', '=', id)
      .where('settled_unix_ms', 'is', null)
      .orderBy('event_position')
      .limit(1)
      .executeTakeFirst();
    first = Math.min(first, owed?.event_position ?? Infinity);
  }
  return first;
}

/** Their attempts go with them. Asked for endpoint by endpoint, as their index is. */
async function purgeDeliveries(transaction: Kysely<Schema>, upTo: number): Promise<number> {
  const endpoints = await transaction.selectFrom('endpoints').select('id').execute();
  let deleted = 0;
  for (const { id } of endpoints) {
    for (const testMode of [false, true]) {
      const { numDeletedRows } = await transaction
        .deleteFrom('deliveries')
        .where('endpoint_id', '=', id)
        .where('test_mode', '=', testMode)
        .where('event_position', '<=', upTo)
        .executeTakeFirstOrThrow();
      deleted += Number(numDeletedRows);
    }
  }
  return deleted;
}

async function purgeEvents(transaction: Kysely<Schema>, upTo: number): Promise<number> {
  const { numDeletedRows } = await transaction
    .deleteFrom('events')
    .where('position', '<=', upTo)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
