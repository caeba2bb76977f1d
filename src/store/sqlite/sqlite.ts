import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Kysely, SqliteDialect, type SqliteDatabase, type SqliteStatement } from 'kysely';
import { InvariantError, messageOf, VoiceError } from '../../base/errors.ts';
import { requireStorable } from '../engine/parameters.ts';
import type { Schema } from '../schema.ts';

/** How long a statement waits for a stranger's lock on the file; the thread stands still meanwhile. */
export const BUSY_TIMEOUT_MS = 2_000;
/** Preparing costs more than most statements; multi-row inserts alone make some dozens of shapes. */
const STATEMENTS_MAX = 256;
/** The indexes an insert touches stay in memory: 32 MiB (negative means KiB). */
const CACHE_SIZE = -32_768;

/** An open database file: the one write connection of this process, under Kysely. */
export interface Sqlite {
  readonly db: Kysely<Schema>;
  /** How many writing statements have run: whether there is anything to checkpoint. */
  readonly writes: () => number;
  /** Another number whenever another connection has changed the file, or begun its WAL anew. */
  readonly writesOfOthers: () => number;
}

/** Opens, or creates, the file. Checkpoints are somebody else's work (`Checkpointer`). */
export function openSqlite(path: string): Sqlite {
  // SQLite would create it readable by the group; its WAL takes the mode of the file.
  closeSync(openSync(path, 'a', 0o600));
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
    if (mode !== 'wal') {
      throw new VoiceError('failed_precondition', `${path}: the file system does not allow WAL`);
    }
    database.exec(`
      PRAGMA synchronous = NORMAL;
      PRAGMA wal_autocheckpoint = 0;
      PRAGMA cache_size = ${CACHE_SIZE};
      PRAGMA temp_store = MEMORY`);
  } catch (error) {
    database.close();
    if (error instanceof VoiceError) throw error;
    const sentence = `${path} cannot be opened: ${messageOf(error)}`;
    throw new VoiceError('failed_precondition', sentence, { cause: error });
  }
  const adapter = new NodeSqlite(database);
  const version = database.prepare('PRAGMA data_version');
  return {
    db: new Kysely<Schema>({ dialect: new SqliteDialect({ database: adapter }) }),
    writes: () => adapter.writes,
    writesOfOthers: () => Number(version.get()?.['data_version']),
  };
}

/** `node:sqlite` in the shape Kysely's own dialect asks for. */
export class NodeSqlite implements SqliteDatabase {
  writes = 0;
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, SqliteStatement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  close(): void {
    this.#prepared.clear();
    this.#database.close();
  }

  prepare(sql: string): SqliteStatement {
    const known = this.#prepared.get(sql);
    if (known !== undefined) {
      // Used last, forgotten last.
      this.#prepared.delete(sql);
      this.#prepared.set(sql, known);
      return known;
    }
    const fresh = this.#adapted(this.#database.prepare(sql), !/^select\b/i.test(sql));
    this.#prepared.set(sql, fresh);
    for (const oldest of this.#prepared.keys()) {
      if (this.#prepared.size <= STATEMENTS_MAX) break;
      this.#prepared.delete(oldest);
    }
    return fresh;
  }

  #adapted(statement: StatementSync, isWriting: boolean): SqliteStatement {
    return {
      reader: statement.columns().length > 0,
      all: (parameters) => {
        if (isWriting) this.writes++;
        return statement.all(...bound(parameters));
      },
      run: (parameters) => {
        if (isWriting) this.writes++;
        return statement.run(...bound(parameters));
      },
      iterate: () => {
        // A prepared statement is shared by its text: a reader half-way would be reset by the next one.
        throw new InvariantError('streaming from the embedded store is not offered; read in pages');
      },
    };
  }
}

/** SQLite has no booleans. */
function bound(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters.map((given, index) => {
    const parameter = requireStorable(given, index);
    return typeof parameter === 'boolean' ? Number(parameter) : parameter;
  });
}
