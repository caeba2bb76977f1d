import type { Kysely } from 'kysely';
import type { Attempt, AttemptOutcome, Endpoint, Outbox, PendingDelivery } from '../delivery/outbox.ts';
import type { Clock } from '../base/clock.ts';
import type { Envelope } from '../events/envelope.ts';
import { Compiled, slot } from './compiled.ts';
import type { SqlEndpoints } from './endpoints.ts';
import type { Schema } from './schema.ts';

interface DeliveryRecord {
  readonly id: string;
  readonly endpoint_id: string;
  readonly event_position: number;
  readonly attempts: number;
  readonly next_attempt_unix_ms: number | null;
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
      await this.#insert.run(transaction, attemptValues(attempt));
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
        'events.body',
      ]);
  }
}

function pendingOf(row: DeliveryRecord): PendingDelivery {
  return {
    id: row.id,
    endpointId: row.endpoint_id,
    position: row.event_position,
    attempts: row.attempts,
    nextAttemptUnixMs: row.next_attempt_unix_ms === null ? null : row.next_attempt_unix_ms,
    envelope: JSON.parse(row.body) as Envelope,
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

function attemptStatement(db: Kysely<Schema>) {
  return new Compiled<keyof Schema['attempts']>(
    db.insertInto('attempts').values({
      id: slot('id'),
      delivery_id: slot('delivery_id'),
      number: slot('number'),
      trigger_name: slot('trigger_name'),
      started_at: slot('started_at'),
      duration_ms: slot('duration_ms'),
      request_headers: slot('request_headers'),
      resolved_address: slot('resolved_address'),
      status: slot('status'),
      response_headers: slot('response_headers'),
      response_body: slot('response_body'),
      error_class: slot('error_class'),
      error_detail: slot('error_detail'),
    }),
  );
}

function attemptValues(attempt: Attempt): Schema['attempts'] {
  return {
    id: attempt.id,
    delivery_id: attempt.deliveryId,
    number: attempt.number,
    trigger_name: attempt.trigger,
    started_at: attempt.startedAt,
    duration_ms: attempt.durationMs,
    request_headers: JSON.stringify(attempt.requestHeaders),
    resolved_address: attempt.resolvedAddress,
    status: attempt.status,
    response_headers: JSON.stringify(attempt.responseHeaders),
    // PostgreSQL refuses NUL in text, and a stranger wrote this.
    response_body: attempt.responseBody.replaceAll('\0', '\uFFFD'),
    error_class: attempt.errorClass,
    error_detail: attempt.errorDetail?.replaceAll('\0', '\uFFFD') ?? null,
  };
}
