import { sql, type Kysely } from 'kysely';
import type { FleetLetter, FleetLetters, TakenLetter } from '../../delivery/partitions/fleet-letters.ts';
import type { Cipher, SecretPlace } from '../cipher.ts';
import type { FleetLettersTable, Schema } from '../schema.ts';
import { LETTERS_SENT, tellFleet } from './fleet-notices.ts';
import { NOW_UNIX_MS } from './partition-leases.ts';

/** Where a letter lies: one that is laid elsewhere, or said to be of another, does not open. */
type LetterPlace = Pick<FleetLettersTable, 'sender' | 'number' | 'addressee'>;

/**
 * Letters as rows of the shared database, sealed as secrets are: what they say may let somebody into a call.
 * Whoever they are for is told that they are there.
 */
export class SqlFleetLetters implements FleetLetters {
  readonly stats = { unreadable: 0 };
  readonly #db: Kysely<Schema>;
  readonly #cipher: Pick<Cipher, 'seal' | 'open'>;
  #lastNumber = 0;

  constructor(db: Kysely<Schema>, cipher: Pick<Cipher, 'seal' | 'open'>) {
    this.#db = db;
    this.#cipher = cipher;
  }

  async send(letters: readonly FleetLetter[]): Promise<void> {
    const rows = letters.map(({ to, from, text }) => {
      const place = { sender: from, number: ++this.#lastNumber, addressee: to };
      return { ...place, body: this.#cipher.seal(text, secretAt(place)), sent_unix_ms: NOW_UNIX_MS };
    });
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.insertInto('fleet_letters').values(rows).execute();
      const names = [...new Set(letters.map(({ to }) => to))];
      for (const name of names) await tellFleet(transaction, `${LETTERS_SENT} ${name}`);
    });
  }

  async take(names: readonly string[], limit: number): Promise<readonly TakenLetter[]> {
    const rows = await this.#db
      .deleteFrom('fleet_letters')
      .where(sql<boolean>`(sender, number) in (${this.#lying(names, limit)})`)
      .returning(['sender', 'number', 'addressee', 'body'])
      .returning(sql<number>`${NOW_UNIX_MS} - sent_unix_ms`.as('ageMs'))
      .execute();
    // What a statement deletes comes back in no order.
    const inOrder = rows.toSorted(
      (one, other) => compare(one.sender, other.sender) || one.number - other.number,
    );
    return inOrder.flatMap(({ body, ageMs, ...place }) => {
      const text = this.#opened(body, place);
      return text === undefined ? [] : { from: place.sender, to: place.addressee, text, ageMs };
    });
  }

  async forget(ageMs: number): Promise<number> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('fleet_letters')
      .where('sent_unix_ms', '<', sql<number>`${NOW_UNIX_MS} - ${sql.lit(ageMs)}`)
      .executeTakeFirstOrThrow();
    return Number(numDeletedRows);
  }

  #opened(body: string, place: LetterPlace): string | undefined {
    try {
      return this.#cipher.open(body, secretAt(place));
    } catch {
      // Of a host with other keys, or of nobody's: what is worth saying is said again.
      this.stats.unreadable++;
      return undefined;
    }
  }

  #lying(names: readonly string[], limit: number) {
    return this.#db
      .selectFrom('fleet_letters')
      .select(['sender', 'number'])
      .where('addressee', 'in', names)
      .orderBy('sender')
      .orderBy('number')
      .limit(limit)
      .forUpdate()
      .skipLocked();
  }
}

function secretAt({ sender, number, addressee }: LetterPlace): SecretPlace {
  return { rowId: `letter ${number} of ${sender}`, field: `to ${addressee}` };
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
