import { sql, type Kysely } from 'kysely';
import { invariant } from '../base/errors.ts';
import { Compiled, slot } from './compiled.ts';
import { COUNTER_TOLD } from './postgres/fleet-notices.ts';
import type { Schema } from './schema.ts';

/** The journal's last position: kept apart from `events`, so that no purge gives one out twice. */
export const JOURNAL_POSITION = 'journal_position';
/** Grows with every change of a stream credential. */
export const CREDENTIALS_VERSION = 'credentials_version';
/** Grows with every agent that is published. */
export const AGENTS_VERSION = 'agents_version';
/** Never grows: who holds its row is the one that purges. */
export const PURGE_TURN = 'purge_turn';
/** Grows with every change of a hook endpoint. */
export const ENDPOINTS_VERSION = 'endpoints_version';

/** Grows with every change of an inbound hook. */
export const INBOUND_VERSION = 'inbound_version';
/** Grows with every call that asks for something to be done. */
export const INBOUND_WORK = 'inbound_work';

type CounterName =
  | typeof JOURNAL_POSITION
  | typeof CREDENTIALS_VERSION
  | typeof AGENTS_VERSION
  | typeof ENDPOINTS_VERSION
  | typeof PURGE_TURN
  | typeof INBOUND_VERSION
  | typeof INBOUND_WORK
  | `link:${string}`;

const COUNTERS = [
  JOURNAL_POSITION,
  CREDENTIALS_VERSION,
  AGENTS_VERSION,
  ENDPOINTS_VERSION,
  PURGE_TURN,
  INBOUND_VERSION,
  INBOUND_WORK,
] as const;

/** How far the spool of one start of a node is committed. */
export function linkCursor(incarnation: string): CounterName {
  return `link:${incarnation}`;
}

/**
 * Numbers that only grow. Raising one locks its row until the transaction ends, so that on a shared database
 * too the order of the numbers is the order of the commits (contract.md §8).
 */
export class Counters {
  readonly #raise: Compiled<'name' | 'by', { value: number }>;
  /** Where others share the database: they are told of it once it is committed. */
  readonly #raiseAloud: Compiled<'name' | 'by', { value: number }> | undefined;
  readonly #set: Compiled<'name' | 'value'>;
  readonly #read: Compiled<'name', { value: number }>;
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>, isShared = false) {
    this.#db = db;
    const raise = db
      .updateTable('counters')
      .set({ value: sql<number>`value + ${slot('by')}` })
      .where('name', '=', slot('name'))
      .returning('value');
    this.#raise = new Compiled(raise);
    this.#raiseAloud = isShared ? new Compiled(raise.returning(COUNTER_TOLD.as('told'))) : undefined;
    this.#set = new Compiled(
      db
        .insertInto('counters')
        .values({ name: slot('name'), value: slot('value') })
        .onConflict((conflict) =>
          conflict.column('name').doUpdateSet((update) => ({ value: update.ref('excluded.value') })),
        ),
    );
    this.#read = new Compiled(db.selectFrom('counters').select('value').where('name', '=', slot('name')));
  }

  /** Makes the counters of a new store. */
  async prepare(): Promise<void> {
    await this.#db
      .insertInto('counters')
      .values(COUNTERS.map((name) => ({ name, value: 0 })))
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute();
  }

  /** 0 for one that is not there. */
  async read(db: Kysely<Schema>, name: CounterName): Promise<number> {
    const { rows } = await this.#read.run(db, { name });
    return rows[0]?.value ?? 0;
  }

  async set(db: Kysely<Schema>, name: CounterName, value: number): Promise<void> {
    await this.#set.run(db, { name, value });
  }

  async forget(name: CounterName): Promise<void> {
    await this.#db.deleteFrom('counters').where('name', '=', name).execute();
  }

  /** The value after raising it by `by`. */
  async raise(transaction: Kysely<Schema>, name: CounterName, by: number): Promise<number> {
    const raise = by === 0 ? this.#raise : (this.#raiseAloud ?? this.#raise);
    const { rows } = await raise.run(transaction, { name, by });
    invariant(rows[0] !== undefined, `the store has no counter ${name}`);
    return rows[0].value;
  }
}
