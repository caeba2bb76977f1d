import type { Insertable, Kysely, Selectable } from 'kysely';
import type {
  ControlledCredential,
  CredentialStore,
  Page,
  PageQuery,
  ProviderControl,
  StoredCredential,
} from '../api/ports.ts';
import type { CredentialVerify, CredentialView, StreamCredential } from '../events/commands.ts';
import type { Cipher, SecretPlace } from './cipher.ts';
import { CREDENTIALS_VERSION, type Counters } from './counters.ts';
import { mapped, pageOf } from './page.ts';
import type { CredentialsTable, Schema } from './schema.ts';

const SEALED = ['auth_token', 'proof', 'control'] as const;
type Sealed = (typeof SEALED)[number];

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
    const { id, verify, options, control } = credential;
    const { ip_allow: ipAllow, ...proof } = verify ?? {};
    const row: Insertable<CredentialsTable> = {
      id,
      workspace_id: credential.workspaceId,
      secret_hash: credential.secretHash,
      dialect: credential.dialect,
      agent_id: credential.agentId,
      test_mode: credential.testMode,
      label: credential.label,
      auth_token: null,
      ip_allow: ipAllow === undefined ? null : JSON.stringify(ipAllow),
      proof: Object.keys(proof).length === 0 ? null : this.#seal(proof, id, 'proof'),
      options: options === undefined ? null : JSON.stringify(options),
      control: control === undefined ? null : this.#seal(control, id, 'control'),
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
    return mapped(page, (row) => this.#storedOf(row));
  }

  async setControl(
    workspaceId: string,
    id: string,
    control: ProviderControl | null,
  ): Promise<StoredCredential | undefined> {
    const sealed = control === null ? null : this.#seal(control, id, 'control');
    return this.#db.transaction().execute(async (transaction) => {
      const row = await transaction
        .updateTable('credentials')
        .set({ control: sealed })
        .where('id', '=', id)
        .where('workspace_id', '=', workspaceId)
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) return undefined;
      await this.#counters.raise(transaction, CREDENTIALS_VERSION, 1);
      return this.#storedOf(row);
    });
  }

  async controlOf(workspaceId: string, id: string): Promise<ControlledCredential | undefined> {
    const row = await this.#db
      .selectFrom('credentials')
      .select(['dialect', 'control'])
      .where('id', '=', id)
      .where('workspace_id', '=', workspaceId)
      .executeTakeFirst();
    if (row === undefined || row.control === null) return undefined;
    return { dialect: row.dialect, control: this.#controlOf(row.control, id) };
  }

  async bySecret(secretHash: string): Promise<StreamCredential | undefined> {
    const row = await this.#db
      .selectFrom('credentials')
      .selectAll()
      .where('secret_hash', '=', secretHash)
      .executeTakeFirst();
    return row && this.#credentialOf(row);
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
    const credentials = rows.map((row) => ({
      ...this.#credentialOf(row),
      ...(row.control !== null && { hasControl: true as const }),
    }));
    return { version, credentials };
  }

  /** Seals anew whatever an older key of the ring still seals; the number of credentials this met. */
  async reseal(): Promise<number> {
    const rows = await this.#db
      .selectFrom('credentials')
      .select(['id', ...SEALED])
      .execute();
    let resealed = 0;
    for (const { id, ...row } of rows) {
      const stale = SEALED.filter((field) => row[field] !== null && !this.#cipher.isNewest(row[field]));
      if (stale.length === 0) continue;
      const fresh = Object.fromEntries(stale.map((field) => [field, this.#sealAnew(row[field]!, id, field)]));
      await this.#db.updateTable('credentials').set(fresh).where('id', '=', id).execute();
      resealed++;
    }
    return resealed;
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
      ...(row.options === null ? {} : { options: JSON.parse(row.options) as Record<string, string> }),
    };
  }

  #storedOf(row: Selectable<CredentialsTable>): StoredCredential {
    return {
      ...this.#credentialOf(row),
      label: row.label,
      createdAt: row.created_at,
      ...(row.control !== null && { control: this.#controlOf(row.control, row.id) }),
    };
  }

  #controlOf(sealed: string, id: string): ProviderControl {
    return this.#open(sealed, id, 'control') as ProviderControl;
  }

  #verifyOf({ id, auth_token, ip_allow, proof }: Selectable<CredentialsTable>): CredentialVerify | undefined {
    if (auth_token === null && ip_allow === null && proof === null) return undefined;
    return {
      ...(auth_token !== null && { auth_token: this.#cipher.open(auth_token, placeOf(id, 'auth_token')) }),
      ...(proof !== null && (this.#open(proof, id, 'proof') as CredentialVerify)),
      ...(ip_allow !== null && { ip_allow: JSON.parse(ip_allow) as readonly string[] }),
    };
  }

  #seal(secret: object, id: string, field: Sealed): string {
    return this.#cipher.seal(JSON.stringify(secret), placeOf(id, field));
  }

  #open(sealed: string, id: string, field: Sealed): unknown {
    return JSON.parse(this.#cipher.open(sealed, placeOf(id, field)));
  }

  #sealAnew(sealed: string, id: string, field: Sealed): string {
    return this.#cipher.seal(this.#cipher.open(sealed, placeOf(id, field)), placeOf(id, field));
  }
}

function placeOf(rowId: string, field: Sealed): SecretPlace {
  return { rowId, field };
}
