import { sql, type Kysely } from 'kysely';
import type { FleetLetter, FleetLetters, TakenLetter } from '../../delivery/partitions/fleet-letters.ts';
import type { Schema } from '../schema.ts';
import { LETTERS_SENT, tellFleet } from './fleet-notices.ts';
import { NOW_UNIX_MS } from './partition-leases.ts';

/** Letters as rows of the shared database; whoever they are for is told that they are there. */
export class SqlFleetLetters implements FleetLetters {
  readonly #db: Kysely<Schema>;
  #lastNumber = 0;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  async send(letters: readonly FleetLetter[]): Promise<void> {
    const rows = letters.map(({ to, from, text }) => ({
      sender: from,
      number: ++this.#lastNumber,
      addressee: to,
      body: text,
      sent_unix_ms: NOW_UNIX_MS,
    }));
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
    return rows
      .toSorted((one, other) => compare(one.sender, other.sender) || one.number - other.number)
      .map(({ sender, addressee, body, ageMs }) => ({ from: sender, to: addressee, text: body, ageMs }));
  }

  async forget(ageMs: number): Promise<number> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('fleet_letters')
      .where('sent_unix_ms', '<', sql<number>`${NOW_UNIX_MS} - ${sql.lit(ageMs)}`)
      .executeTakeFirstOrThrow();
    return Number(numDeletedRows);
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

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
