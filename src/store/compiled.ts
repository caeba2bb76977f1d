import type { Compilable, CompiledQuery, Insertable, Kysely, QueryResult } from 'kysely';
import { invariant } from '../base/errors.ts';
import type { Schema } from './schema.ts';

/** What a slot or a column may be filled with. */
export type Value = string | number | boolean | null;

/** Rows in one statement: enough that its fixed cost is gone, far below SQLite's 32 766 parameters. */
const ROWS_PER_STATEMENT_MAX = 50;

class Slot {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Stands in a query for a value that comes with each run of a `Compiled`. */
export function slot(name: string): never {
  return new Slot(name) as never;
}

/** A query built and compiled once, because compiling costs more than running it; a run only fills slots. */
export class Compiled<Name extends string, Row = unknown> {
  readonly #query: CompiledQuery<Row>;

  constructor(query: Compilable<Row>) {
    this.#query = query.compile();
  }

  run(db: Kysely<Schema>, values: Readonly<Record<Name, Value>>): Promise<QueryResult<Row>> {
    const parameters = this.#query.parameters.map((parameter) => {
      if (!(parameter instanceof Slot)) return parameter;
      const value = (values as Readonly<Record<string, Value>>)[parameter.name];
      invariant(value !== undefined, `slot ${parameter.name} of a statement is empty`);
      return value;
    });
    return db.executeQuery({ ...this.#query, parameters });
  }
}

/** Inserts rows many at a time; each number of rows is compiled once. */
export class BulkInsert<Table extends keyof Schema> {
  readonly #build: (rows: Insertable<Schema[Table]>[]) => Compilable;
  readonly #columns: readonly (keyof Insertable<Schema[Table]> & string)[];
  readonly #byRows = new Map<number, CompiledQuery>();

  constructor(
    columns: readonly (keyof Insertable<Schema[Table]> & string)[],
    build: (rows: Insertable<Schema[Table]>[]) => Compilable,
  ) {
    this.#columns = columns;
    this.#build = build;
  }

  async run(db: Kysely<Schema>, rows: readonly Insertable<Schema[Table]>[]): Promise<void> {
    for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT_MAX) {
      const part = rows.slice(from, from + ROWS_PER_STATEMENT_MAX);
      const parameters = part.flatMap((row) => this.#columns.map((column) => row[column]));
      await db.executeQuery({ ...this.#queryOf(part.length), parameters });
    }
  }

  #queryOf(rows: number): CompiledQuery {
    const known = this.#byRows.get(rows);
    if (known !== undefined) return known;
    const row = Object.fromEntries(this.#columns.map((column) => [column, slot(column)]));
    const query = this.#build(Array.from({ length: rows }, () => row as Insertable<Schema[Table]>)).compile();
    // The parameters of a run are the columns of its rows and nothing else.
    invariant(query.parameters.length === rows * this.#columns.length, 'a bulk insert binds only its rows');
    this.#byRows.set(rows, query);
    return query;
  }
}
