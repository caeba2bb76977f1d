import { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import { Connections, type ConnectionStats } from './connections.ts';
import { StoreDialect } from './dialect.ts';

/** What else one process does at a time: with what it hears by, sixteen fit into PostgreSQL's own 100. */
const OTHERS_MAX = 4;

/** An open database: one connection that commits, a few that do everything else. */
export interface Postgres {
  readonly db: Kysely<Schema>;
  readonly commits: Kysely<Schema>;
  readonly stats: ConnectionStats;
  readonly close: () => Promise<void>;
}

/** Connects when something is asked, so that nothing here waits. */
export function openPostgres(url: string): Postgres {
  const reading = new Connections({ url, connectionsMax: OTHERS_MAX });
  const committing = new Connections({ url, connectionsMax: 1 });
  const [db, commits] = [over(reading), over(committing)];
  const sum = (name: keyof ConnectionStats): number => reading.stats[name] + committing.stats[name];
  return {
    db,
    commits,
    stats: {
      get opened() {
        return sum('opened');
      },
      get lost() {
        return sum('lost');
      },
      get refused() {
        return sum('refused');
      },
    },
    close: async () => {
      await commits.destroy();
      await db.destroy();
    },
  };
}

/** One connection without time limits, while `task` runs: in a fleet, migrations wait for each other. */
export async function withPatience<T>(url: string, task: (db: Kysely<Schema>) => Promise<T>): Promise<T> {
  const db = over(new Connections({ url, connectionsMax: 1, isPatient: true }));
  try {
    return await task(db);
  } finally {
    await db.destroy();
  }
}

/** The shared database under Kysely, in the shape of the embedded one. */
function over(connections: Connections): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new StoreDialect(connections) });
}
