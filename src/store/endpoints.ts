import type { Kysely } from 'kysely';
import type { EndpointChange, EndpointStore, Page, PageQuery, StoredEndpoint } from '../api/ports.ts';
import type { Clock } from '../base/clock.ts';
import { isSelected } from '../events/catalogue.ts';
import type { Envelope } from '../events/envelope.ts';
import type { Cipher } from './cipher.ts';
import { ENDPOINTS_VERSION, type Counters } from './counters.ts';
import { endpointOf, endpointRow, SEALED_COLUMNS } from './deliveries/endpoint-rows.ts';
import { mapped, pageOf } from './page.ts';
import type { Schema } from './schema.ts';

/** What endpoints are kept with. */
export interface EndpointParts {
  readonly db: Kysely<Schema>;
  readonly counters: Counters;
  readonly cipher: Cipher;
  readonly clock: Pick<Clock, 'unixMs'>;
}

/**
 * Hook endpoints, all of them in memory as well: every commit asks who wants its events, and reads them anew
 * only where another process that shares the database has changed one.
 */
export class SqlEndpoints implements EndpointStore {
  readonly #db: Kysely<Schema>;
  readonly #cipher: Cipher;
  readonly #clock: Pick<Clock, 'unixMs'>;
  readonly #counters: Counters;
  readonly #byId = new Map<string, StoredEndpoint>();
  /** What is in memory is at least as new as this. */
  #version = -1;
  #reloads = 0;

  private constructor({ db, counters, cipher, clock }: EndpointParts) {
    this.#db = db;
    this.#counters = counters;
    this.#cipher = cipher;
    this.#clock = clock;
  }

  static async load(parts: EndpointParts): Promise<SqlEndpoints> {
    const endpoints = new SqlEndpoints(parts);
    await endpoints.refresh();
    return endpoints;
  }

  /** Reads them anew where another process has changed one. */
  async refresh(db: Kysely<Schema> = this.#db): Promise<void> {
    // Read first: what changes in between is then read twice, never missed.
    const version = await this.#counters.read(db, ENDPOINTS_VERSION);
    if (version === this.#version) return;
    const rows = await db.selectFrom('endpoints').selectAll().where('removed_at', 'is', null).execute();
    this.#reloads++;
    this.#byId.clear();
    for (const row of rows) this.#byId.set(row.id, endpointOf(row, this.#cipher));
    this.#version = version;
  }

  /** Everything there is, disabled ones included. */
  all(): readonly StoredEndpoint[] {
    return [...this.#byId.values()];
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** By its id alone, for who is not asked by a workspace. */
  find(id: string): StoredEndpoint | undefined {
    return this.#byId.get(id);
  }

  /** Who is owed this event: also those that are switched off, for whom it is held. */
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
    await this.#change((transaction) =>
      transaction.insertInto('endpoints').values(endpointRow(endpoint, this.#cipher)).execute(),
    );
    // Only now: a delivery row may not precede the endpoint it refers to.
    this.#byId.set(endpoint.id, endpoint);
  }

  async get(workspaceId: string, id: string): Promise<StoredEndpoint | undefined> {
    await this.refresh();
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
    return mapped(page, (row) => endpointOf(row, this.#cipher));
  }

  async update(workspaceId: string, id: string, change: EndpointChange): Promise<StoredEndpoint | undefined> {
    await this.refresh();
    // Read and written in one turn, so that two changes at a time both stay.
    const known = this.#byId.get(id);
    if (known?.workspaceId !== workspaceId) return undefined;
    const changed: StoredEndpoint = { ...known, ...change };
    this.#byId.set(id, changed);
    try {
      const { id: _, ...columns } = endpointRow(changed, this.#cipher);
      await this.#change((transaction) =>
        transaction
          .updateTable('endpoints')
          .set(columns)
          .where('id', '=', id)
          .where('removed_at', 'is', null)
          .execute(),
      );
    } catch (error) {
      if (this.#byId.get(id) === changed) this.#byId.set(id, known);
      throw error;
    }
    return changed;
  }

  async remove(workspaceId: string, id: string): Promise<boolean> {
    const endpoint = await this.get(workspaceId, id);
    if (endpoint === undefined) return false;
    // First: nothing more is to be owed to it from this moment on.
    this.#byId.delete(id);
    const seal = (field: string, text: string): string => this.#cipher.seal(text, { rowId: id, field });
    try {
      // The row stays for the log of its deliveries; its secrets do not.
      const row = {
        removed_at: new Date(this.#clock.unixMs()).toISOString(),
        enabled: false,
        secrets: seal('secrets', '[]'),
        headers: seal('headers', '{}'),
        auth: null,
      };
      await this.#change((transaction) =>
        transaction.updateTable('endpoints').set(row).where('id', '=', id).execute(),
      );
    } catch (error) {
      this.#byId.set(id, endpoint);
      throw error;
    }
    return true;
  }

  /** Others that share the database see by the version that theirs are old; ours are as new already. */
  async #change(write: (transaction: Kysely<Schema>) => Promise<unknown>): Promise<void> {
    const reloads = this.#reloads;
    const version = await this.#db.transaction().execute(async (transaction) => {
      await write(transaction);
      return this.#counters.raise(transaction, ENDPOINTS_VERSION, 1);
    });
    // What was read meanwhile may be from before this change: then it is read once more.
    if (reloads === this.#reloads && version === this.#version + 1) this.#version = version;
  }

  /** Seals anew whatever an older key of the ring still seals; the number of endpoints this met. */
  async reseal(): Promise<number> {
    const rows = await this.#db
      .selectFrom('endpoints')
      .select(['id', ...SEALED_COLUMNS])
      .execute();
    let resealed = 0;
    for (const row of rows) {
      const stale = SEALED_COLUMNS.filter(
        (field) => row[field] !== null && !this.#cipher.isNewest(row[field]),
      );
      if (stale.length === 0) continue;
      const fresh = stale.map((field) => {
        const place = { rowId: row.id, field };
        return [field, this.#cipher.seal(this.#cipher.open(row[field] ?? '', place), place)];
      });
      await this.#db
        .updateTable('endpoints')
        .set(Object.fromEntries(fresh) as { [field in (typeof SEALED_COLUMNS)[number]]?: string })
        .where('id', '=', row.id)
        .execute();
      resealed++;
    }
    return resealed;
  }
}

function wants(endpoint: StoredEndpoint, envelope: Envelope): boolean {
  return (
    endpoint.workspaceId === envelope.workspace_id &&
    (endpoint.testMode === null || endpoint.testMode === envelope.test_mode) &&
    (endpoint.agentId === null || endpoint.agentId === envelope.data['agent_id']) &&
    isSelected(envelope.type, endpoint.events)
  );
}
