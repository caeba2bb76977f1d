import type { Kysely } from 'kysely';
import type { IdempotencyStore } from '../api/ports.ts';
import type { Clock } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import type { Cipher, SecretPlace } from './cipher.ts';
import type { Schema } from './schema.ts';

type Found = Awaited<ReturnType<IdempotencyStore['find']>>;
type Entry = Parameters<IdempotencyStore['remember']>[2];

/** Answers kept for repeated requests, until they expire. */
export class SqlIdempotency implements IdempotencyStore {
  readonly #db: Kysely<Schema>;
  readonly #cipher: Cipher;
  readonly #clock: Pick<Clock, 'unixMs'>;

  constructor(db: Kysely<Schema>, cipher: Cipher, clock: Pick<Clock, 'unixMs'>) {
    this.#db = db;
    this.#cipher = cipher;
    this.#clock = clock;
  }

  async find(keyId: string, idempotencyKey: string): Promise<Found> {
    const row = await this.#db
      .selectFrom('idempotency')
      .select(['body_hash', 'status', 'answer'])
      .where('key_id', '=', keyId)
      .where('idempotency_key', '=', idempotencyKey)
      .where('expires_unix_ms', '>', this.#clock.unixMs())
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const answer = this.#cipher.open(row.answer, answerOf(keyId, idempotencyKey));
    return { bodyHash: row.body_hash, status: row.status, answer: JSON.parse(answer) as JsonObject };
  }

  async remember(keyId: string, idempotencyKey: string, entry: Entry): Promise<void> {
    const told = {
      body_hash: entry.bodyHash,
      status: entry.status,
      answer: this.#cipher.seal(JSON.stringify(entry.answer), answerOf(keyId, idempotencyKey)),
      expires_unix_ms: entry.expiresUnixMs,
    };
    await this.#db
      .insertInto('idempotency')
      .values({ key_id: keyId, idempotency_key: idempotencyKey, ...told })
      // The first answer stands for as long as it lives.
      .onConflict((conflict) =>
        conflict
          .columns(['key_id', 'idempotency_key'])
          .doUpdateSet(told)
          .where('idempotency.expires_unix_ms', '<=', this.#clock.unixMs()),
      )
      .execute();
  }
}

function answerOf(keyId: string, idempotencyKey: string): SecretPlace {
  return { rowId: `${keyId}/${idempotencyKey}`, field: 'answer' };
}
