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
import { AttemptRecorder, type Transact } from './deliveries/recorder.ts';
import { Compiled, slot } from './compiled.ts';
import { JOURNAL_POSITION } from './counters.ts';
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

/** What the outbox is built on. */
export interface OutboxParts {
  readonly db: Kysely<Schema>;
  readonly endpoints: SqlEndpoints;
  /** Where attempts are written. */
  readonly transact: Transact;
  readonly clock: Pick<Clock, 'unixMs'>;
}

/** Deliveries that are owed, and every attempt to pay them. */
export class SqlOutbox implements Outbox {
  readonly stats: AttemptRecorder['stats'];
  readonly #db: Kysely<Schema>;
  readonly #endpoints: SqlEndpoints;
  readonly #recorder: AttemptRecorder;
  readonly #owedTo: ReturnType<typeof owedStatement>;

  constructor({ db, endpoints, transact, clock }: OutboxParts) {
    this.#db = db;
    this.#endpoints = endpoints;
    this.#recorder = new AttemptRecorder(db, transact, clock);
    this.stats = this.#recorder.stats;
    this.#owedTo = owedStatement(db);
  }

  async endpoints(): Promise<readonly Endpoint[]> {
    await this.#endpoints.refresh();
    return this.#endpoints.all();
  }

  async unfinished(
    after: { position: number; id: string },
    limit: number,
  ): Promise<readonly PendingDelivery[]> {
    // First: what is committed between two endpoints would else be passed over by who goes on from here.
    const upTo = await lastPosition(this.#db);
    let owed: Owed[] = [];
    for (const { id: endpoint, enabled } of this.#endpoints.all()) {
      // What is held of a switched-off endpoint may be millions: nobody reads past it.
      if (!enabled) continue;
      const { rows } = await this.#owedTo.run(this.#db, { endpoint, ...after, upTo, limit });
      owed = [...owed, ...rows].sort(byPlace).slice(0, limit);
    }
    if (owed.length === 0) return [];
    const rows = await this.#deliveries()
      .where(
        'deliveries.id',
        'in',
        owed.map(({ id }) => id),
      )
      .where('deliveries.settled_unix_ms', 'is', null)
      .orderBy('deliveries.event_position')
      .orderBy('deliveries.id')
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
    // As a subquery: what an endpoint is owed may be millions, the events of a resource are few. Joined, a
    // planner without statistics walks the former.
    const rows = await this.#deliveries()
      .where('deliveries.event_position', 'in', (events) =>
        events
          .selectFrom('events as own')
          .select('own.position')
          .where('own.resource_id', '=', resourceId)
          .where('own.position', '>', position),
      )
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
      .where('position', '>', 0)
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

type Owed = { readonly event_position: number; readonly id: string };

/** What one endpoint is owed, from a place on: its own stretch of an index that holds nothing else. */
function owedStatement(db: Kysely<Schema>) {
  return new Compiled<'endpoint' | 'position' | 'id' | 'upTo' | 'limit', Owed>(
    db
      .selectFrom('deliveries')
      .select(['event_position', 'id'])
      .where('endpoint_id', '=', slot('endpoint'))
      .where('settled_unix_ms', 'is', null)
      .where((where) =>
        where(where.refTuple('event_position', 'id'), '>', where.tuple(slot('position'), slot('id'))),
      )
      .where('event_position', '<=', slot('upTo'))
      .orderBy('event_position')
      .orderBy('id')
      .limit(slot('limit')),
  );
}

async function lastPosition(db: Kysely<Schema>): Promise<number> {
  const counter = await db
    .selectFrom('counters')
    .select('value')
    .where('name', '=', JOURNAL_POSITION)
    .executeTakeFirst();
  return counter?.value ?? 0;
}

function byPlace(a: Owed, b: Owed): number {
  return a.event_position - b.event_position || (a.id < b.id ? -1 : 1);
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
