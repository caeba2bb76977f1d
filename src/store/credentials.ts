import type { Insertable, Kysely, Selectable } from 'kysely';
import type { CredentialStore, Page, PageQuery, StoredCredential } from '../api/ports.ts';
import type { CredentialVerify, CredentialView, StreamCredential } from '../events/commands.ts';
import type { Cipher, SecretPlace } from './cipher.ts';
import { CREDENTIALS_VERSION, type Counters } from './counters.ts';
import { mapped, pageOf } from './page.ts';
import type { CredentialsTable, Schema } from './schema.ts';

/** Stream credentials: their secret as a hash, the provider's token encrypted. */
export class SqlCredentials implements CredentialStore {
  readonly #db: Kysely<Schema>;
  readonly #counters: Counters;
  readonly #cipher: Cipher;

  constructor(db: Kysely<Schema>, counters: Counters, cipher: Cipher) {
    this.#db = db;
    this.#counters = counters;
    this.#cipher = cipher;
  }

  async create(credential: StoredCredential): Promise<void> {
    const { auth_token: authToken, ip_allow: ipAllow } = credential.verify ?? {};
    const row: Insertable<CredentialsTable> = {
      id: credential.id,
      workspace_id: credential.workspaceId,
      secret_hash: credential.secretHash,
      dialect: credential.dialect,
      agent_id: credential.agentId,
      test_mode: credential.testMode,
      label: credential.label,
      auth_token: authToken === undefined ? null : this.#cipher.seal(authToken, tokenOf(credential.id)),
      ip_allow: ipAllow === undefined ? null : JSON.stringify(ipAllow),
      created_at: credential.createdAt,
    };
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.insertInto('credentials').values(row).execute();
      await this.#counters.raise(transaction, CREDENTIALS_VERSION, 1);
    });
  }

  async list(query: PageQuery): Promise<Page<StoredCredential>> {
    const matching = this.#db
      .selectFrom('credentials')
      .selectAll()
      .where('workspace_id', '=', query.workspaceId)
      .where('test_mode', '=', query.testMode);
    const page = await pageOf(matching, ['created_at', 'id'], query);
    return mapped(page, (row) => ({
      ...this.#credentialOf(row),
      label: row.label,
      createdAt: row.created_at,
    }));
  }

  async remove(workspaceId: string, id: string): Promise<boolean> {
    return this.#db.transaction().execute(async (transaction) => {
      const { numDeletedRows } = await transaction
        .deleteFrom('credentials')
        .where('id', '=', id)
        .where('workspace_id', '=', workspaceId)
        .executeTakeFirstOrThrow();
      if (numDeletedRows === 0n) return false;
      await this.#counters.raise(transaction, CREDENTIALS_VERSION, 1);
      return true;
    });
  }

  async view(): Promise<CredentialView> {
    // Read first: a credential made in between is then told twice, never missed.
    const version = await this.#counters.read(this.#db, CREDENTIALS_VERSION);
    const rows = await this.#db.selectFrom('credentials').selectAll().orderBy('id').execute();
    return { version, credentials: rows.map((row) => this.#credentialOf(row)) };
  }

  #credentialOf(row: Selectable<CredentialsTable>): StreamCredential {
    const verify = this.#verifyOf(row);
    return {
      id: row.id,
      secretHash: row.secret_hash,
      workspaceId: row.workspace_id,
      dialect: row.dialect,
      agentId: row.agent_id,
      testMode: Boolean(row.test_mode),
      ...(verify === undefined ? {} : { verify }),
    };
  }

  #verifyOf(row: Selectable<CredentialsTable>): CredentialVerify | undefined {
    if (row.auth_token === null && row.ip_allow === null) return undefined;
    return {
      ...(row.auth_token === null ? {} : { auth_token: this.#cipher.open(row.auth_token, tokenOf(row.id)) }),
      ...(row.ip_allow === null ? {} : { ip_allow: JSON.parse(row.ip_allow) as readonly string[] }),
    };
  }
}

function tokenOf(rowId: string): SecretPlace {
  return { rowId, field: 'auth_token' };
}
