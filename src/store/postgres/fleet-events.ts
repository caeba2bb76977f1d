import type { Kysely } from 'kysely';
import type { OwedEvent } from '../../delivery/outbox.ts';
import type { FeedSource } from '../../delivery/partitions/fleet-feed.ts';
import type { Envelope } from '../../events/envelope.ts';
import { JOURNAL_POSITION, type Counters } from '../counters.ts';
import type { SqlEndpoints } from '../endpoints.ts';
import type { Schema } from '../schema.ts';

/** What any process of a fleet committed, read back by another. */
export class SqlFleetEvents implements FeedSource {
  readonly #db: Kysely<Schema>;
  readonly #counters: Counters;
  readonly #endpoints: SqlEndpoints;

  constructor(db: Kysely<Schema>, counters: Counters, endpoints: SqlEndpoints) {
    this.#db = db;
    this.#counters = counters;
    this.#endpoints = endpoints;
  }

  last(): Promise<number> {
    return this.#counters.read(this.#db, JOURNAL_POSITION);
  }

  async following(
    after: number,
    limit: number,
    isOurs: (resourceId: string) => boolean,
  ): Promise<readonly OwedEvent[]> {
    const rows = await this.#db
      .selectFrom('events')
      .select(['position', 'workspace_id', 'resource_id', 'body'])
      .where('position', '>', after)
      .orderBy('position')
      .limit(limit)
      .execute();
    const owed = await this.#owedOf(rows.filter((row) => isOurs(row.resource_id)));
    return rows.map(({ position, body }) => ({
      position,
      envelope: JSON.parse(body) as Envelope,
      deliveries: (owed.get(position) ?? []).map((row) => ({
        deliveryId: row.id,
        endpointId: row.endpoint_id,
      })),
    }));
  }

  /** By endpoint, as the index of what is owed is. */
  async #owedOf(events: readonly { readonly position: number; readonly workspace_id: string }[]) {
    if (events.length === 0) return new Map<number, never[]>();
    // One that was made at another host may be owed the first of these.
    await this.#endpoints.refresh(this.#db);
    const workspaces = new Set(events.map((row) => row.workspace_id));
    const ids = this.#endpoints.all().filter(({ workspaceId }) => workspaces.has(workspaceId));
    if (ids.length === 0) return new Map<number, never[]>();
    const rows = await this.#db
      .selectFrom('deliveries')
      .select(['id', 'endpoint_id', 'event_position'])
      .where(
        'endpoint_id',
        'in',
        ids.map(({ id }) => id),
      )
      .where(
        'event_position',
        'in',
        events.map(({ position }) => position),
      )
      .where('settled_unix_ms', 'is', null)
      .where('is_manual', '=', false)
      .orderBy('id')
      .execute();
    return Map.groupBy(rows, (row) => row.event_position);
  }
}
