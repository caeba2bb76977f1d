import type { Kysely } from 'kysely';
import type { Clock } from '../../base/clock.ts';
import { migrate } from '../migrations/migrate.ts';
import type { ConnectionStats } from '../postgres/connections.ts';
import { FleetNotices } from '../postgres/fleet-notices.ts';
import { openPostgres, withPatience } from '../postgres/postgres.ts';
import type { Schema } from '../schema.ts';
import { Checkpointer } from '../sqlite/checkpointer.ts';
import { openSqlite } from '../sqlite/sqlite.ts';
import type { StoreLog } from '../store-log.ts';

export interface EngineOptions {
  /** The embedded database's file; its folder must exist. */
  readonly path: string;
  /** `postgres://…`: a database that hosts share, in place of the file. */
  readonly databaseUrl?: string | undefined;
  readonly clock: Clock;
  readonly log: StoreLog;
}

/** A database with the newest schema: what the store's queries run on, and all they know of it. */
export interface Engine {
  readonly db: Kysely<Schema>;
  /** Where the journal commits: a connection of its own where there are several. */
  readonly commits: Kysely<Schema>;
  /** A number that stays while nobody else writes; undefined where the database does not tell. */
  readonly writesOfOthers: () => number | undefined;
  /** What others that share the database tell; undefined where it is ours alone. */
  readonly notices: FleetNotices | undefined;
  readonly stats: { readonly checkpoints: Checkpointer['stats']; readonly connections: ConnectionStats };
  readonly close: () => Promise<void>;
}

/** Opens the shared database where one is named, else the embedded one; with the newest schema. */
export function openEngine(options: EngineOptions): Promise<Engine> {
  const { databaseUrl } = options;
  return databaseUrl === undefined ? openEmbedded(options) : openShared(databaseUrl, options);
}

async function openEmbedded({ path, clock, log }: EngineOptions): Promise<Engine> {
  const { db, writes, writesOfOthers } = openSqlite(path);
  try {
    await migrate(db, clock);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const holdWriter = (during: () => Promise<void>): Promise<void> => db.connection().execute(() => during());
  const checkpointer = new Checkpointer({ path, clock, writes, log, holdWriter });
  return {
    db,
    commits: db,
    writesOfOthers,
    notices: undefined,
    stats: { checkpoints: checkpointer.stats, connections: { opened: 1, lost: 0, refused: 0 } },
    close: async () => {
      await checkpointer.close();
      await db.destroy();
    },
  };
}

async function openShared(url: string, { clock, log }: EngineOptions): Promise<Engine> {
  await withPatience(url, (db) => migrate(db, clock));
  const { db, commits, stats, close } = openPostgres(url);
  const writesOfOthers = () => undefined;
  const notices = new FleetNotices({ url, clock, log });
  const shared = { db, commits, writesOfOthers, notices, close };
  return { ...shared, stats: { checkpoints: NO_CHECKPOINTS, connections: stats } };
}

/** PostgreSQL looks after its own. */
const NO_CHECKPOINTS: Checkpointer['stats'] = {
  passes: 0,
  checkpoints: 0,
  busyCheckpoints: 0,
  restarts: 0,
  truncations: 0,
  failures: 0,
  walBytes: 0,
};
