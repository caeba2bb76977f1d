import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { DatabaseError, Pool, types, type PoolClient, type PoolConfig } from 'pg';
import { messageOf, VoiceError } from '../../base/errors.ts';
import { requireStorable } from '../engine/parameters.ts';

/** Who waits longer for a connection is told that the database does not answer. */
const CONNECT_WITHIN_MS = 5_000;
/** A server that finds no end gives up by itself, and a while later its silence is one too. */
const STATEMENT_MAX_MS = 10_000;
const ANSWER_WITHIN_MS = STATEMENT_MAX_MS + 2_000;
/** A transaction whose process stands still holds the journal's lock: the fleet waits no longer for it. */
const IDLE_IN_TRANSACTION_MAX_MS = 5_000;
/** Statements that may wait for a connection. */
const WAITING_MAX = 1_000;
/** Classes of SQLSTATE: connection, resources, an operator's hand, the system (PostgreSQL, appendix A). */
const OUTAGE = /^(?:08|53|57P|58)/;
/** `int8`, and `numeric`, which sums of it are (pg_type.dat). */
const WHOLE_NUMBERS: ReadonlySet<number> = new Set([20, 1700]);

/** What became of connections; plain numbers for metrics. */
export interface ConnectionStats {
  readonly opened: number;
  /** Connections that ended by themselves, and attempts that came to nothing. */
  readonly lost: number;
  /** Statements refused because too many waited. */
  readonly refused: number;
}

export interface ConnectionsOptions {
  readonly url: string;
  readonly connectionsMax: number;
  /** Migrations take as long as they take. */
  readonly isPatient?: boolean;
}

/** A limited pool of connections to PostgreSQL, in the shape Kysely's own dialect asks for. */
export class Connections implements PostgresPool {
  readonly stats = { opened: 0, lost: 0, refused: 0 } satisfies ConnectionStats;
  readonly options = {};
  readonly #pool: Pool;

  constructor({ url, connectionsMax, isPatient = false }: ConnectionsOptions) {
    this.#pool = new Pool({ ...poolConfig(url, isPatient), max: connectionsMax });
    // Without these two a connection that ends would end the process; who used it hears of it by itself.
    this.#pool.on('error', () => this.stats.lost++);
    this.#pool.on('connect', (client) => {
      this.stats.opened++;
      client.on('error', () => {});
    });
  }

  async connect(): Promise<PostgresPoolClient> {
    if (this.#pool.waitingCount >= WAITING_MAX) {
      this.stats.refused++;
      throw new VoiceError('overloaded', 'too many statements wait for the database');
    }
    try {
      return adapted(await this.#pool.connect());
    } catch (error) {
      this.stats.lost++;
      throw unavailable(error);
    }
  }

  async end(): Promise<void> {
    await this.#pool.end();
  }
}

function poolConfig(url: string, isPatient: boolean): PoolConfig {
  const limits = {
    statement_timeout: STATEMENT_MAX_MS,
    query_timeout: ANSWER_WITHIN_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MAX_MS,
  };
  return {
    connectionString: url,
    application_name: 'omnivoice',
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    keepAlive: true,
    types: { getTypeParser: parserOf },
    ...(isPatient ? {} : limits),
  };
}

function adapted(client: PoolClient): PostgresPoolClient {
  const query = async (sql: string, parameters: readonly unknown[]): Promise<unknown> => {
    const values = parameters.map(bound);
    try {
      return await client.query(sql, values);
    } catch (error) {
      throw isOutage(error) ? unavailable(error) : error;
    }
  };
  return {
    // Cursors are not offered: lists are read in pages.
    query: query as PostgresPoolClient['query'] & (<R>() => Promise<PostgresQueryResult<R>>),
    release: (isBroken) => client.release(isBroken),
  };
}

/** PostgreSQL holds every letter but one. */
function bound(given: unknown, index: number): unknown {
  const parameter = requireStorable(given, index);
  return typeof parameter === 'string' && parameter.includes('\0')
    ? parameter.replaceAll('\0', '\u{FFFD}')
    : parameter;
}

/** The parser of a column's type; whole numbers of 64 bits come as numbers, as the store keeps them. */
function parserOf(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  const known: { getTypeParser(oid: number, format?: string): (text: string) => unknown } = types;
  return WHOLE_NUMBERS.has(oid) ? wholeNumber : known.getTypeParser(oid, format);
}

/** Refuses what a number cannot tell from its neighbour. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new VoiceError('failed_precondition', `the store holds ${text}, which is no whole number below 2^53`);
}

/** What the server did not say itself is the connection that failed. */
function isOutage(error: unknown): boolean {
  if (error instanceof VoiceError) return false;
  return !(error instanceof DatabaseError) || OUTAGE.test(error.code ?? '');
}

function unavailable(error: unknown): VoiceError {
  return new VoiceError('unavailable', `the database does not answer: ${messageOf(error)}`);
}
