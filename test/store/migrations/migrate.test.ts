import { describe, expect, it } from 'vitest';
import { MIGRATIONS, migrate, type Migration } from '../../../src/store/migrations/migrate.ts';
import { openSqlite } from '../../../src/store/sqlite/sqlite.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { atTheEnd, openTempStore, rowsOf, tempPath } from '../temp-store.ts';

const clock = new FakeClock();

function openEmpty() {
  const path = tempPath();
  const { db } = openSqlite(path);
  atTheEnd(() => db.destroy());
  return { path, db };
}

const second: Migration = {
  version: MIGRATIONS.length + 1,
  name: 'second',
  up: async (db) => {
    await db.schema.createTable('later').addColumn('a', 'text').execute();
  },
};

describe('migrating', () => {
  it('brings an empty file to the newest schema and records each step', async () => {
    const { path, db } = openEmpty();
    await migrate(db, clock);
    expect(rowsOf(path, 'select version, name, applied_at from schema_migrations')).toEqual(
      MIGRATIONS.map(({ version, name }) => ({ version, name, applied_at: '2026-11-20T12:00:00.000Z' })),
    );
    const tables = rowsOf(path, `select name from sqlite_schema where type = 'table'`).map(
      ({ name }) => name,
    );
    expect(tables).toEqual(expect.arrayContaining(['events', 'calls', 'deliveries', 'attempts', 'api_keys']));
  });

  it('runs a step once, and only what is new the next time', async () => {
    const { path, db } = openEmpty();
    await migrate(db, clock);
    await migrate(db, clock);
    await migrate(db, clock, [...MIGRATIONS, second]);
    await migrate(db, clock, [...MIGRATIONS, second]);
    expect(rowsOf(path, 'select name from schema_migrations order by version')).toEqual([
      ...MIGRATIONS.map(({ name }) => ({ name })),
      { name: 'second' },
    ]);
  });

  it('leaves nothing of a step that failed half-way', async () => {
    const { path, db } = openEmpty();
    const failing: Migration = {
      ...second,
      up: async (db) => {
        await second.up(db);
        throw new Error('no more');
      },
    };
    await expect(migrate(db, clock, [...MIGRATIONS, failing])).rejects.toThrow('no more');
    expect(rowsOf(path, `select name from sqlite_schema where type = 'table'`)).toEqual([]);
  });

  it('refuses, in a sentence, a store written by a newer version', async () => {
    const { path, db } = openEmpty();
    await migrate(db, clock, [...MIGRATIONS, second]);
    await db.destroy();
    await expect(openTempStore({ path })).rejects.toThrow(
      new RegExp(
        `schema ${second.version}, written by a newer .* up to ${MIGRATIONS.length}\\. Start the newer`,
      ),
    );
  });

  it('refuses a hole in its own numbers', async () => {
    const { db } = openEmpty();
    await expect(migrate(db, clock, [second])).rejects.toThrow(/without a hole/);
  });
});
