import type { Insertable, Kysely, Selectable } from 'kysely';
import type { DeliveryRow, EndpointStore, Page, PageQuery, StoredEndpoint } from '../api/ports.ts';
import type { Clock } from '../base/clock.ts';
import { isSelected } from '../events/catalogue.ts';
import type { Envelope } from '../events/envelope.ts';
import type { Cipher, SecretPlace } from './cipher.ts';
import { mapped, pageOf } from './page.ts';
import type { EndpointsTable, Schema } from './schema.ts';

/**
 * Hook endpoints, all of them in memory as well: every commit asks who wants its events, and may not wait for
 * a query.
 */
export class SqlEndpoints implements EndpointStore {
  readonly #db: Kysely<Schema>;
  readonly #cipher: Cipher;
  readonly #clock: Pick<Clock, 'unixMs'>;
  readonly #byId = new Map<string, StoredEndpoint>();

  private constructor(db: Kysely<Schema>, cipher: Cipher, clock: Pick<Clock, 'unixMs'>) {
    this.#db = db;
    this.#cipher = cipher;
    this.#clock = clock;
  }

  static async load(db: Kysely<Schema>, cipher: Cipher, clock: Pick<Clock, 'unixMs'>): Promise<SqlEndpoints> {
    const endpoints = new SqlEndpoints(db, cipher, clock);
    const rows = await db.selectFrom('endpoints').selectAll().where('removed_at', 'is', null).execute();
    for (const row of rows) endpoints.#byId.set(row.id, endpoints.#endpointOf(row));
    return endpoints;
  }

  /** Everything there is, disabled ones included. */
  all(): readonly StoredEndpoint[] {
    return [...this.#byId.values()];
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** Who is owed this event. */
  wanting(envelope: Envelope): readonly StoredEndpoint[] {
    // A test speaks to the one endpoint it tests, whatever that endpoint selected.
    if (envelope.type === 'endpoint.test') {
      const tested = this.#byId.get(envelope.resource.id);
      return tested?.enabled === true ? [tested] : [];
    }
    const wanting: StoredEndpoint[] = [];
    for (const endpoint of this.#byId.values()) if (wants(endpoint, envelope)) wanting.push(endpoint);
    return wanting;
  }

  async create(endpoint: StoredEndpoint): Promise<void> {
    await this.#db.insertInto('endpoints').values(this.#rowOf(endpoint)).execute();
    // Only now: a delivery row may not precede the endpoint it refers to.
    this.#byId.set(endpoint.id, endpoint);
  }

  async get(workspaceId: string, id: string): Promise<StoredEndpoint | undefined> {
    const endpoint = this.#byId.get(id);
    return endpoint?.workspaceId === workspaceId ? endpoint : undefined;
  }

  async list(query: PageQuery): Promise<Page<StoredEndpoint>> {
    let matching = this.#db
      .selectFrom('endpoints')
      .selectAll()
      .where('workspace_id', '=', query.workspaceId)
      .where('removed_at', 'is', null);
    // A live key may make an endpoint of any mode, and sees what it made.
    if (query.testMode) matching = matching.where('test_mode', '=', true);
    const page = await pageOf(matching, ['created_at', 'id'], query);
    return mapped(page, (row) => this.#endpointOf(row));
  }

  async remove(workspaceId: string, id: string): Promise<boolean> {
    const endpoint = await this.get(workspaceId, id);
    if (endpoint === undefined) return false;
    // First: nothing more is to be owed to it from this moment on.
    this.#byId.delete(id);
    try {
      // The row stays for the log of its deliveries; its secrets do not.
      await this.#db
        .updateTable('endpoints')
        .set({
          removed_at: new Date(this.#clock.unixMs()).toISOString(),
          enabled: false,
          secrets: this.#cipher.seal('[]', secretsOf(id)),
          headers: this.#cipher.seal('{}', headersOf(id)),
        })
        .where('id', '=', id)
        .execute();
    } catch (error) {
      this.#byId.set(id, endpoint);
      throw error;
    }
    return true;
  }

  async deliveries(workspaceId: string, endpointId: string, query: PageQuery): Promise<Page<DeliveryRow>> {
    if (this.#byId.get(endpointId)?.workspaceId !== workspaceId) {
      return { items: [], total: 0, nextCursor: null };
    }
    const owed = this.#db
      .selectFrom('deliveries')
      .where('deliveries.endpoint_id', '=', endpointId)
      .where('deliveries.test_mode', '=', query.testMode);
    const told = owed
      .leftJoin('events', 'events.position', 'deliveries.event_position')
      .selectAll('deliveries')
      .select('events.body');
    const page = await pageOf(told, ['event_position'], query, owed.select('deliveries.id'));
    return mapped(page, deliveryOf);
  }

  #rowOf(endpoint: StoredEndpoint): Insertable<EndpointsTable> {
    return {
      id: endpoint.id,
      workspace_id: endpoint.workspaceId,
      url: endpoint.url,
      events: JSON.stringify(endpoint.events),
      agent_id: endpoint.agentId,
      test_mode: endpoint.testMode,
      secrets: this.#cipher.seal(JSON.stringify(endpoint.secrets), secretsOf(endpoint.id)),
      headers: this.#cipher.seal(JSON.stringify(endpoint.headers), headersOf(endpoint.id)),
      ordering: endpoint.ordering,
      retry_delays_ms: JSON.stringify(endpoint.retryDelaysMs),
      retry_policy: endpoint.retryPolicy,
      timeout_ms: endpoint.timeoutMs,
      enabled: endpoint.enabled,
      format: endpoint.format,
      api_version: endpoint.apiVersion,
      created_at: endpoint.createdAt,
      removed_at: null,
    };
  }

  #endpointOf(row: Selectable<EndpointsTable>): StoredEndpoint {
    return {
      id: row.id,
      workspaceId: row.workspace_id,
      url: row.url,
      events: JSON.parse(row.events) as readonly string[],
      agentId: row.agent_id,
      testMode: row.test_mode === null ? null : Boolean(row.test_mode),
      secrets: JSON.parse(this.#cipher.open(row.secrets, secretsOf(row.id))) as readonly string[],
      headers: JSON.parse(this.#cipher.open(row.headers, headersOf(row.id))) as StoredEndpoint['headers'],
      ordering: row.ordering === 'none' ? 'none' : 'strict',
      retryDelaysMs: JSON.parse(row.retry_delays_ms) as readonly number[],
      retryPolicy: row.retry_policy,
      timeoutMs: row.timeout_ms,
      enabled: Boolean(row.enabled),
      format: 'omnivoice',
      apiVersion: row.api_version,
      createdAt: row.created_at,
    };
  }
}

function wants(endpoint: StoredEndpoint, envelope: Envelope): boolean {
  return (
    endpoint.enabled &&
    endpoint.workspaceId === envelope.workspace_id &&
    (endpoint.testMode === null || endpoint.testMode === envelope.test_mode) &&
    (endpoint.agentId === null || endpoint.agentId === envelope.data['agent_id']) &&
    isSelected(envelope.type, endpoint.events)
  );
}

function deliveryOf(row: Selectable<Schema['deliveries']> & { readonly body: string | null }): DeliveryRow {
  const { id, type } = row.body === null ? { id: '', type: '' } : (JSON.parse(row.body) as Envelope);
  return {
    id: row.id,
    endpointId: row.endpoint_id,
    eventId: id,
    eventType: type,
    state: row.state,
    attempts: row.attempts,
    createdAt: isoOf(row.created_unix_ms),
    nextAttemptAt: row.next_attempt_unix_ms === null ? null : isoOf(row.next_attempt_unix_ms),
    lastStatus: row.last_status,
    lastError: row.last_error,
  };
}

function isoOf(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

function secretsOf(rowId: string): SecretPlace {
  return { rowId, field: 'secrets' };
}

function headersOf(rowId: string): SecretPlace {
  return { rowId, field: 'headers' };
}
