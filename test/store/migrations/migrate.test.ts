import { expect, it } from 'vitest';
import { MIGRATIONS, migrate, type Migration } from '../../../src/store/migrations/migrate.ts';
import { openPostgres } from '../../../src/store/postgres/postgres.ts';
import { openSqlite } from '../../../src/store/sqlite/sqlite.ts';
import { FakeClock } from '../../fakes/clock.ts';
import {
  atTheEnd,
  describeOnEachEngine,
  isOnPostgres,
  openTempStore,
  prepare,
  rowsIn,
  tempPath,
} from '../temp-store.ts';

const clock = new FakeClock();

async function openEmpty() {
  const path = await prepare(tempPath(), 'template0');
  const { db, commits } = isOnPostgres() ? openPostgres(path) : { commits: undefined, ...openSqlite(path) };
  const close = async () => {
    await commits?.destroy();
    await db.destroy();
  };
  atTheEnd(close);
  return { path, db, close };
}

async function tablesOf(path: string): Promise<readonly unknown[]> {
  const rows = isOnPostgres()
    ? await rowsIn(path, `select tablename as name from pg_tables where schemaname = 'public'`)
    : await rowsIn(path, `select name from sqlite_schema where type = 'table'`);
  return rows.map(({ name }) => name);
}

const second: Migration = {
  version: MIGRATIONS.length + 1,
  name: 'second',
  up: async (db) => {
    await db.schema.createTable('later').addColumn('a', 'text').execute();
  },
};

describeOnEachEngine('migrating', () => {
  it('brings an empty file to the newest schema and records each step', async () => {
    const { path, db } = await openEmpty();
    await migrate(db, clock);
    expect(await rowsIn(path, 'select version, name, applied_at from schema_migrations')).toEqual(
      MIGRATIONS.map(({ version, name }) => ({ version, name, applied_at: '2026-11-20T12:00:00.000Z' })),
    );
    expect(await tablesOf(path)).toEqual(
      expect.arrayContaining(['events', 'calls', 'deliveries', 'attempts', 'api_keys']),
    );
  });

  it('runs a step once, and only what is new the next time', async () => {
    const { path, db } = await openEmpty();
    await migrate(db, clock);
    await migrate(db, clock);
    await migrate(db, clock, [...MIGRATIONS, second]);
    await migrate(db, clock, [...MIGRATIONS, second]);
    expect(await rowsIn(path, 'select name from schema_migrations order by version')).toEqual([
      ...MIGRATIONS.map(({ name }) => ({ name })),
      { name: 'second' },
    ]);
  });

  it('leaves nothing of a step that failed half-way', async () => {
    const { path, db } = await openEmpty();
    const failing: Migration = {
      ...second,
      up: async (db) => {
        await second.up(db);
        throw new Error('no more');
      },
    };
    await expect(migrate(db, clock, [...MIGRATIONS, failing])).rejects.toThrow('no more');
    expect(await tablesOf(path)).toEqual([]);
  });

  it('refuses, in a sentence, a store written by a newer version', async () => {
    const { path, db, close } = await openEmpty();
    await migrate(db, clock, [...MIGRATIONS, second]);
    await close();
    await expect(openTempStore({ path })).rejects.toThrow(
      new RegExp(
        `schema ${second.version}, written by a newer .* up to ${MIGRATIONS.length}\\. Start the newer`,
      ),
    );
  });

  it('refuses a hole in its own numbers', async () => {
    const { db } = await openEmpty();
    await expect(migrate(db, clock, [second])).rejects.toThrow(/without a hole/);
  });
});
