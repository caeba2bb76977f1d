import type { Kysely } from 'kysely';
import type {
  Attempt,
  AttemptOutcome,
  Endpoint,
  LanePlace,
  Outbox,
  PendingDelivery,
  Undelivered,
} from '../delivery/outbox.ts';
import type { Clock } from '../base/clock.ts';
import type { Envelope } from '../events/envelope.ts';
import { AttemptRecorder } from './deliveries/recorder.ts';
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
  readonly refusals: number;
  readonly is_aside: boolean | number;
  readonly previous_undelivered: string | null;
  readonly body: string;
  readonly sent_body: string | null;
}

/** Deliveries that are owed, and every attempt to pay them. */
export class SqlOutbox implements Outbox {
  readonly stats: AttemptRecorder['stats'];
  readonly #db: Kysely<Schema>;
  readonly #endpoints: SqlEndpoints;
  readonly #recorder: AttemptRecorder;

  constructor(db: Kysely<Schema>, endpoints: SqlEndpoints, clock: Pick<Clock, 'unixMs'>) {
    this.#db = db;
    this.#endpoints = endpoints;
    this.#recorder = new AttemptRecorder(db, clock);
    this.stats = this.#recorder.stats;
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

  async following(
    { endpointId, resourceId }: LanePlace,
    position: number,
    limit: number,
  ): Promise<readonly PendingDelivery[]> {
    // By the index of a resource's events and that of an endpoint's deliveries: a lane is short, both are
    // not.
    const rows = await this.#deliveries()
      .whereRef('deliveries.test_mode', '=', 'events.test_mode')
      .where('events.resource_id', '=', resourceId)
      .where('events.position', '>', position)
      .where('deliveries.endpoint_id', '=', endpointId)
      .where('deliveries.settled_unix_ms', 'is', null)
      .where('deliveries.is_manual', '=', false)
      .where('deliveries.is_aside', '=', false)
      .orderBy('events.sequence')
      .limit(limit)
      .execute();
    return rows.map(pendingOf);
  }

  async undelivered(limit: number): Promise<readonly Undelivered[]> {
    const rows = await this.#db
      .selectFrom('undelivered')
      .selectAll()
      .orderBy('position', 'desc')
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      endpointId: row.endpoint_id,
      resourceId: row.resource_id,
      position: row.position,
      eventId: row.event_id,
      isDead: Boolean(row.is_dead),
    }));
  }

  record(attempt: Attempt, outcome: AttemptOutcome): Promise<void> {
    return this.#recorder.record(attempt, outcome);
  }

  /** When everything handed in so far is written, or has failed. */
  settled(): Promise<void> {
    return this.#recorder.settled();
  }

  #deliveries() {
    return this.#db
      .selectFrom('deliveries')
      .innerJoin('events', 'events.position', 'deliveries.event_position')
      .leftJoin('sent_bodies', 'sent_bodies.delivery_id', 'deliveries.id')
      .select([
        'deliveries.id',
        'deliveries.endpoint_id',
        'deliveries.event_position',
        'deliveries.attempts',
        'deliveries.next_attempt_unix_ms',
        'deliveries.created_unix_ms',
        'deliveries.is_manual',
        'deliveries.sent_as',
        'deliveries.refusals',
        'deliveries.is_aside',
        'deliveries.previous_undelivered',
        'events.body',
        'sent_bodies.body as sent_body',
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
    refusals: row.refusals,
    isAside: Boolean(row.is_aside),
    previousUndelivered: JSON.parse(row.previous_undelivered ?? '[]') as readonly string[],
    body: row.sent_body,
  };
}
