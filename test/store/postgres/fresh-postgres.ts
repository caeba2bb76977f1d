import { openPostgres } from '../../../src/store/postgres/postgres.ts';
import { createDatabase, dropDatabase, freshName, sharedCluster } from '../../fakes/postgres/databases.ts';
import { atTheEnd } from '../temp-store.ts';

/** A database of its own with the newest schema, until the end of the test. */
export async function freshPostgres() {
  const cluster = await sharedCluster();
  const name = freshName();
  atTheEnd(() => dropDatabase(cluster, name));
  const url = await createDatabase(cluster, name);
  const { db, close } = openPostgres(url);
  atTheEnd(close);
  return { url, db };
}
