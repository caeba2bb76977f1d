import type { Insertable, Kysely, Selectable } from 'kysely';
import type { ApiKey, KeyStore, Page, PageQuery } from '../api/ports.ts';
import { VoiceError } from '../base/errors.ts';
import { mapped, pageOf } from './page.ts';
import type { ApiKeysTable, Schema } from './schema.ts';

type KeyChange = Parameters<KeyStore['update']>[2];

/** API keys; of the secret only its hash. */
export class SqlKeys implements KeyStore {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  async byHash(secretHash: string): Promise<ApiKey | undefined> {
    const row = await this.#db
      .selectFrom('api_keys')
      .selectAll()
      .where('secret_hash', '=', secretHash)
      .executeTakeFirst();
    return row && keyOf(row);
  }

  async get(workspaceId: string, id: string): Promise<ApiKey | undefined> {
    const row = await this.#db
      .selectFrom('api_keys')
      .selectAll()
      .where('id', '=', id)
      .where('workspace_id', '=', workspaceId)
      .executeTakeFirst();
    return row && keyOf(row);
  }

  async list(query: PageQuery): Promise<Page<ApiKey>> {
    const matching = this.#db
      .selectFrom('api_keys')
      .selectAll()
      .where('workspace_id', '=', query.workspaceId)
      .where('test_mode', '=', query.testMode);
    return mapped(await pageOf(matching, ['created_at', 'id'], query), keyOf);
  }

  async create(key: ApiKey): Promise<void> {
    await this.#db.insertInto('api_keys').values(rowOf(key)).execute();
  }

  async update(workspaceId: string, id: string, change: KeyChange): Promise<ApiKey | undefined> {
    return this.#db.transaction().execute(async (transaction) => {
      const row = await transaction
        .selectFrom('api_keys')
        .selectAll()
        .where('id', '=', id)
        .where('workspace_id', '=', workspaceId)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      const changed: ApiKey = { ...keyOf(row), ...change };
      await transaction.updateTable('api_keys').set(rowOf(changed)).where('id', '=', id).execute();
      return changed;
    });
  }

  async remove(workspaceId: string, id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('api_keys')
      .where('id', '=', id)
      .where('workspace_id', '=', workspaceId)
      .executeTakeFirstOrThrow();
    return numDeletedRows > 0n;
  }

  async rotate(oldId: string, oldExpiresAt: string, fresh: ApiKey): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      const { numUpdatedRows } = await transaction
        .updateTable('api_keys')
        .set({ expires_at: oldExpiresAt })
        .where('id', '=', oldId)
        .where('workspace_id', '=', fresh.workspaceId)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows === 0n) throw new VoiceError('not_found', 'there is no such key to rotate');
      await transaction.insertInto('api_keys').values(rowOf(fresh)).execute();
    });
  }

  async count(): Promise<number> {
    const { keys } = await this.#db
      .selectFrom('api_keys')
      .select((select) => select.fn.countAll().as('keys'))
      .executeTakeFirstOrThrow();
    return Number(keys);
  }
}

function rowOf(key: ApiKey): Insertable<ApiKeysTable> {
  return {
    id: key.id,
    workspace_id: key.workspaceId,
    name: key.name,
    secret_hash: key.secretHash,
    hint: key.hint,
    test_mode: key.testMode,
    scopes: JSON.stringify(key.scopes),
    api_version: key.apiVersion,
    rate_per_minute: key.ratePerMinute,
    ip_allow: JSON.stringify(key.ipAllow),
    created_at: key.createdAt,
    expires_at: key.expiresAt,
    last_used_at: key.lastUsedAt,
  };
}

function keyOf(row: Selectable<ApiKeysTable>): ApiKey {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    secretHash: row.secret_hash,
    hint: row.hint,
    testMode: Boolean(row.test_mode),
    scopes: JSON.parse(row.scopes) as readonly string[],
    apiVersion: row.api_version,
    ratePerMinute: row.rate_per_minute,
    ipAllow: JSON.parse(row.ip_allow) as readonly string[],
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
  };
}
