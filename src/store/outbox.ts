import type { Kysely } from 'kysely';
import type { Attempt, AttemptOutcome, Endpoint, Outbox, PendingDelivery } from '../delivery/outbox.ts';
import type { Clock } from '../base/clock.ts';
import type { Envelope } from '../events/envelope.ts';
import { Compiled, slot } from './compiled.ts';
import { attemptStatement, attemptValues } from './deliveries/attempts.ts';
import type { SqlEndpoints } from './endpoints.ts';
import type { Schema } from './schema.ts';

interface DeliveryRecord {
  readonly id: string;
  readonly endpoint_id: string;
  readonly event_position: number;
  readonly attempts: number;
  readonly next_attempt_unix_ms: number | null;
  readonly created_unix_ms: number;
  readonly is_manual: boolean | number;
  readonly sent_as: string | null;
  readonly body: string;
}

/** Deliveries that are owed, and every attempt to pay them. */
export class SqlOutbox implements Outbox {
  readonly stats = { attempts: 0, orphanAttempts: 0 };
  readonly #db: Kysely<Schema>;
  readonly #endpoints: SqlEndpoints;
  readonly #clock: Pick<Clock, 'unixMs'>;
  readonly #settle: ReturnType<typeof settleStatement>;
  readonly #insert: ReturnType<typeof attemptStatement>;

  constructor(db: Kysely<Schema>, endpoints: SqlEndpoints, clock: Pick<Clock, 'unixMs'>) {
    this.#db = db;
    this.#endpoints = endpoints;
    this.#clock = clock;
    this.#settle = settleStatement(db);
    this.#insert = attemptStatement(db);
  }

  async endpoints(): Promise<readonly Endpoint[]> {
    return this.#endpoints.all();
  }

  async unfinished(
    after: { position: number; id: string },
    limit: number,
  ): Promise<readonly PendingDelivery[]> {
    const rows = await this.#deliveries()
      .innerJoin('endpoints', 'endpoints.id', 'deliveries.endpoint_id')
      .where('endpoints.removed_at', 'is', null)
      // What is held of a switched-off endpoint may be millions: nobody reads past it.
      .where('endpoints.enabled', '=', true)
      .where('deliveries.settled_unix_ms', 'is', null)
      .where((where) =>
        where(
          where.refTuple('deliveries.event_position', 'deliveries.id'),
          '>',
          where.tuple(after.position, after.id),
        ),
      )
      .orderBy('deliveries.event_position')
      .orderBy('deliveries.id')
      .limit(limit)
      .execute();
    return rows.map(pendingOf);
  }

  /** Undefined once it is settled, or its endpoint is gone. */
  async load(deliveryId: string): Promise<PendingDelivery | undefined> {
    const row = await this.#deliveries()
      .where('deliveries.id', '=', deliveryId)
      .where('deliveries.settled_unix_ms', 'is', null)
      .executeTakeFirst();
    return row !== undefined && this.#endpoints.has(row.endpoint_id) ? pendingOf(row) : undefined;
  }

  async record(attempt: Attempt, outcome: AttemptOutcome): Promise<void> {
    const isSettled = outcome.state === 'delivered' || outcome.state === 'dead';
    const isKnown = await this.#db.transaction().execute(async (transaction) => {
      const { numAffectedRows } = await this.#settle.run(transaction, {
        id: attempt.deliveryId,
        state: outcome.state,
        attempts: attempt.number,
        next: isSettled ? null : outcome.nextAttemptUnixMs,
        status: attempt.status,
        error: attempt.errorClass,
        settled: isSettled ? this.#clock.unixMs() : null,
      });
      if (numAffectedRows === 0n) return false;
      await this.#insert.run(transaction, attemptValues(attempt, outcome));
      return true;
    });
    // Purged while it was on its way: there is nothing left that the attempt could belong to.
    if (isKnown) this.stats.attempts++;
    else this.stats.orphanAttempts++;
  }

  #deliveries() {
    return this.#db
      .selectFrom('deliveries')
      .innerJoin('events', 'events.position', 'deliveries.event_position')
      .select([
        'deliveries.id',
        'deliveries.endpoint_id',
        'deliveries.event_position',
        'deliveries.attempts',
        'deliveries.next_attempt_unix_ms',
        'deliveries.created_unix_ms',
        'deliveries.is_manual',
        'deliveries.sent_as',
        'events.body',
      ]);
  }
}

function pendingOf(row: DeliveryRecord): PendingDelivery {
  const envelope = JSON.parse(row.body) as Envelope;
  return {
    id: row.id,
    endpointId: row.endpoint_id,
    position: row.event_position,
    attempts: row.attempts,
    nextAttemptUnixMs: row.next_attempt_unix_ms === null ? null : row.next_attempt_unix_ms,
    envelope: row.sent_as === null ? envelope : { ...envelope, id: row.sent_as },
    isManual: Boolean(row.is_manual),
    createdUnixMs: row.created_unix_ms,
  };
}

function settleStatement(db: Kysely<Schema>) {
  return new Compiled<'id' | 'state' | 'attempts' | 'next' | 'status' | 'error' | 'settled'>(
    db
      .updateTable('deliveries')
      .set({
        state: slot('state'),
        attempts: slot('attempts'),
        next_attempt_unix_ms: slot('next'),
        last_status: slot('status'),
        last_error: slot('error'),
        settled_unix_ms: slot('settled'),
      })
      .where('id', '=', slot('id')),
  );
}
