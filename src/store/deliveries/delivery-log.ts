import type { Kysely, Selectable } from 'kysely';
import type {
  DeadLetterQuery,
  DeliveryQuery,
  DeliveryRow,
  DeliveryStore,
  LoggedAttempt,
  Page,
  PageQuery,
  ReplayWish,
  StoredEndpoint,
  WholeDelivery,
} from '../../api/ports.ts';
import type { Clock } from '../../base/clock.ts';
import type { PendingDelivery } from '../../delivery/outbox.ts';
import type { Envelope } from '../../events/envelope.ts';
import type { SqlEndpoints } from '../endpoints.ts';
import { mapped, pageOf } from '../page.ts';
import { REPLAYS_ASKED, tellFleet } from '../postgres/fleet-notices.ts';
import type { Schema } from '../schema.ts';
import { attemptsOf } from './attempts.ts';
import { deadLetterPage } from './dead-letters.ts';

type Row = Selectable<Schema['deliveries']> & { readonly body: string | null };
type WholeRow = Row & { readonly sent_body: string | null };

const TOLD_REPLAYS_MAX = 100;

export interface DeliveryLogParts {
  readonly db: Kysely<Schema>;
  readonly endpoints: SqlEndpoints;
  readonly clock: Pick<Clock, 'unixMs'>;
  /** Whoever delivers the resource is told of replays. */
  readonly isShared?: boolean;
}

/** What was sent, what came of it, and what was given up. */
export class SqlDeliveryLog implements DeliveryStore {
  readonly stats = { replays: 0 };
  readonly #db: Kysely<Schema>;
  readonly #endpoints: SqlEndpoints;
  readonly #clock: Pick<Clock, 'unixMs'>;
  readonly #isShared: boolean;

  constructor({ db, endpoints, clock, isShared = false }: DeliveryLogParts) {
    this.#db = db;
    this.#endpoints = endpoints;
    this.#clock = clock;
    this.#isShared = isShared;
  }

  async list(query: DeliveryQuery): Promise<Page<DeliveryRow>> {
    const endpoint = this.#endpoints.find(query.endpointId);
    if (endpoint?.workspaceId !== query.workspaceId) return { items: [], total: 0, nextCursor: null };
    let owed = this.#db
      .selectFrom('deliveries')
      .where('deliveries.endpoint_id', '=', query.endpointId)
      .where('deliveries.test_mode', '=', query.testMode);
    if (query.state !== undefined) owed = owed.where('deliveries.state', '=', query.state);
    const told = owed
      .leftJoin('events', 'events.position', 'deliveries.event_position')
      .selectAll('deliveries')
      .select('events.body');
    const page = await pageOf(told, ['event_position', 'id'], query, owed.select('deliveries.id'));
    return mapped(page, (row) => deliveryOf(row, endpoint));
  }

  async get(
    { workspaceId, testMode }: Pick<PageQuery, 'workspaceId' | 'testMode'>,
    id: string,
  ): Promise<WholeDelivery | undefined> {
    const row = await this.#told()
      .where('deliveries.id', '=', id)
      .where('deliveries.test_mode', '=', testMode)
      .executeTakeFirst();
    const endpoint = row === undefined ? undefined : this.#endpoints.find(row.endpoint_id);
    if (row === undefined || endpoint?.workspaceId !== workspaceId) return undefined;
    const previousUndelivered = namesOf(row);
    const whole = { envelope: envelopeOf(row) ?? null, previousUndelivered, sentBody: row.sent_body };
    return { ...deliveryOf(row, endpoint), ...whole };
  }

  attempts(deliveryId: string): Promise<readonly LoggedAttempt[]> {
    return attemptsOf(this.#db, deliveryId);
  }

  async deadLetters(query: DeadLetterQuery): Promise<Page<DeliveryRow>> {
    const own = this.#endpoints
      .all()
      .filter(({ id, workspaceId }) => workspaceId === query.workspaceId && id === (query.endpointId ?? id));
    const page = await deadLetterPage(this.#db, own, query);
    return mapped(page, (row) => deliveryOf(row, this.#endpoints.find(row.endpoint_id)));
  }

  async replay(wishes: readonly ReplayWish[]): Promise<readonly PendingDelivery[]> {
    const made = await this.#db.transaction().execute(async (transaction) => {
      const pending: PendingDelivery[] = [];
      for (const wish of wishes) {
        const one = await this.#replayIn(transaction, wish);
        if (one !== undefined) pending.push(one);
      }
      // Few enough for a notice of 8000 bytes at most (PostgreSQL, NOTIFY); else a sweep finds them.
      if (this.#isShared && pending.length > 0 && pending.length <= TOLD_REPLAYS_MAX) {
        await tellFleet(transaction, `${REPLAYS_ASKED} ${pending.map(({ id }) => id).join(',')}`);
      }
      return pending;
    });
    this.stats.replays += made.length;
    return made;
  }

  async #replayIn(transaction: Kysely<Schema>, wish: ReplayWish): Promise<PendingDelivery | undefined> {
    const row = await this.#told(transaction).where('deliveries.id', '=', wish.deliveryId).executeTakeFirst();
    const told = row === undefined ? undefined : envelopeOf(row);
    if (row === undefined || told === undefined) return undefined;
    const sentAs = wish.sentAs ?? row.sent_as;
    // Under the id it had, it is what it was to the byte; under another one it is told anew.
    const again: WholeRow =
      wish.sentAs === null ? row : { ...row, previous_undelivered: null, sent_body: null };
    const createdUnixMs = this.#clock.unixMs();
    await transaction
      .insertInto('deliveries')
      .values({
        id: wish.replayId,
        endpoint_id: row.endpoint_id,
        event_position: row.event_position,
        test_mode: Boolean(row.test_mode),
        state: 'pending',
        attempts: 0,
        next_attempt_unix_ms: null,
        last_status: null,
        last_error: null,
        created_unix_ms: createdUnixMs,
        settled_unix_ms: null,
        is_manual: true,
        sent_as: sentAs,
        previous_undelivered: again.previous_undelivered,
      })
      .execute();
    if (again.sent_body !== null) {
      await transaction
        .insertInto('sent_bodies')
        .values({ delivery_id: wish.replayId, body: again.sent_body })
        .execute();
    }
    await transaction
      .updateTable('deliveries')
      .set({ replayed_as: wish.replayId })
      .where('id', '=', wish.deliveryId)
      .execute();
    return {
      id: wish.replayId,
      endpointId: row.endpoint_id,
      position: row.event_position,
      attempts: 0,
      nextAttemptUnixMs: null,
      envelope: sentAs === null ? told : { ...told, id: sentAs },
      isManual: true,
      createdUnixMs,
      previousUndelivered: namesOf(again),
      body: again.sent_body,
    };
  }

  #told(db: Kysely<Schema> = this.#db) {
    return db
      .selectFrom('deliveries')
      .leftJoin('events', 'events.position', 'deliveries.event_position')
      .leftJoin('sent_bodies', 'sent_bodies.delivery_id', 'deliveries.id')
      .selectAll('deliveries')
      .select(['events.body', 'sent_bodies.body as sent_body']);
  }
}

function namesOf({ previous_undelivered: names }: Row): readonly string[] {
  return JSON.parse(names ?? '[]') as readonly string[];
}

function envelopeOf(row: Row): Envelope | undefined {
  if (row.body === null) return undefined;
  const envelope = JSON.parse(row.body) as Envelope;
  return row.sent_as === null ? envelope : { ...envelope, id: row.sent_as };
}

function deliveryOf(row: Row, endpoint: StoredEndpoint | undefined): DeliveryRow {
  const envelope = envelopeOf(row);
  const isHeld = row.settled_unix_ms === null && endpoint?.enabled === false;
  return {
    id: row.id,
    endpointId: row.endpoint_id,
    eventId: envelope?.id ?? '',
    eventType: envelope?.type ?? '',
    resourceId: envelope?.resource.id ?? null,
    state: isHeld ? 'held' : (row.state as DeliveryRow['state']),
    isManual: Boolean(row.is_manual),
    replayedAs: row.replayed_as,
    attempts: row.attempts,
    createdAt: isoOf(row.created_unix_ms),
    settledAt: row.settled_unix_ms === null ? null : isoOf(row.settled_unix_ms),
    nextAttemptAt: row.next_attempt_unix_ms === null ? null : isoOf(row.next_attempt_unix_ms),
    lastStatus: row.last_status,
    lastError: row.last_error,
  };
}

function isoOf(unixMs: number): string {
  return new Date(unixMs).toISOString();
}
