import type { Kysely } from 'kysely';
import type { DisableReason, HealthRecord, HealthStore } from '../../delivery/breaker/health-record.ts';
import type { SqlEndpoints } from '../endpoints.ts';
import type { Schema } from '../schema.ts';

/** How endpoints are, kept over restarts. */
export class SqlEndpointHealth implements HealthStore {
  readonly #db: Kysely<Schema>;
  readonly #endpoints: SqlEndpoints;

  constructor(db: Kysely<Schema>, endpoints: SqlEndpoints) {
    this.#db = db;
    this.#endpoints = endpoints;
  }

  async load(): Promise<readonly HealthRecord[]> {
    const rows = await this.#db.selectFrom('endpoint_health').selectAll().execute();
    const gone = rows.filter((row) => !this.#endpoints.has(row.endpoint_id)).map((row) => row.endpoint_id);
    for (const id of gone) {
      await this.#db.deleteFrom('endpoint_health').where('endpoint_id', '=', id).execute();
      await this.#db.deleteFrom('undelivered').where('endpoint_id', '=', id).execute();
    }
    return rows
      .filter((row) => !gone.includes(row.endpoint_id))
      .map((row) => JSON.parse(row.record) as HealthRecord);
  }

  async save(health: HealthRecord): Promise<void> {
    const record = JSON.stringify(health);
    await this.#db
      .insertInto('endpoint_health')
      .values({ endpoint_id: health.endpointId, record })
      .onConflict((conflict) => conflict.column('endpoint_id').doUpdateSet({ record }))
      .execute();
  }

  async disable(endpointId: string, reason: DisableReason): Promise<void> {
    const endpoint = this.#endpoints.all().find(({ id }) => id === endpointId);
    if (endpoint === undefined) return;
    const change = { enabled: false, disabledReason: reason };
    await this.#endpoints.update(endpoint.workspaceId, endpointId, change);
    // Switched on again it starts with a clean sheet.
    await this.#db.deleteFrom('endpoint_health').where('endpoint_id', '=', endpointId).execute();
  }
}
