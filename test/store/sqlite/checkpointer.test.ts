import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Checkpointer } from '../../../src/store/sqlite/checkpointer.ts';
import { openSqlite } from '../../../src/store/sqlite/sqlite.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { until } from '../../fakes/until.ts';
import { atTheEnd, tempPath } from '../temp-store.ts';

async function openCheckpointed(limits: { restartBytes?: number; truncateBytes?: number } = {}) {
  const path = tempPath();
  const clock = new FakeClock();
  const warnings: string[] = [];
  const { db, writes } = openSqlite(path);
  atTheEnd(() => db.destroy());
  await db.schema.createTable('meta').addColumn('key', 'text').addColumn('value', 'text').execute();
  let held = 0;
  const checkpointer = new Checkpointer({
    path,
    clock,
    writes,
    log: { warn: (_, sentence) => warnings.push(sentence) },
    holdWriter: (during) =>
      db.connection().execute(() => {
        held++;
        return during();
      }),
    ...limits,
  });
  atTheEnd(() => checkpointer.close());
  const write = async (rows: number) => {
    for (let i = 0; i < rows; i++) {
      await db
        .insertInto('meta')
        .values({ key: String(i), value: 'x'.repeat(3_000) })
        .execute();
    }
  };
  const pass = async () => {
    const { passes } = checkpointer.stats;
    clock.advance(200);
    await until(() => checkpointer.stats.passes > passes, 'the pass is over');
  };
  return { path, write, pass, checkpointer, warnings, held: () => held };
}

describe('the checkpointer', () => {
  it('moves what was written into the database while the writer stays open', async () => {
    const { path, write, pass, checkpointer } = await openCheckpointed();
    const before = statSync(path).size;
    await write(50);
    await pass();
    expect(statSync(path).size).toBeGreaterThan(before + 50 * 3_000);
    expect(checkpointer.stats).toMatchObject({ checkpoints: 1, failures: 0, restarts: 0 });
    expect(checkpointer.stats.walBytes).toBeGreaterThan(50 * 3_000);
  });

  it('does nothing where nothing was written', async () => {
    const { write, pass, checkpointer } = await openCheckpointed();
    await write(1);
    await pass();
    await pass();
    await pass();
    expect(checkpointer.stats.checkpoints).toBe(1);
  });

  it('begins a long WAL anew, with the writer held, so that its file stops growing', async () => {
    const { path, write, pass, checkpointer, held } = await openCheckpointed({ restartBytes: 100_000 });
    await write(50);
    await pass();
    expect(checkpointer.stats.restarts).toBe(1);
    expect(held()).toBe(1);
    const walBytes = statSync(`${path}-wal`).size;
    await write(40);
    expect(statSync(`${path}-wal`).size).toBe(walBytes);
  });

  it('cuts the file of a WAL that grew out of all measure', async () => {
    const { path, write, pass, checkpointer } = await openCheckpointed({ truncateBytes: 100_000 });
    await write(50);
    await pass();
    expect(checkpointer.stats.truncations).toBe(1);
    expect(statSync(`${path}-wal`).size).toBe(0);
    await write(1);
  });

  it('says that a pass failed, and goes on with the next', async () => {
    const clock = new FakeClock();
    const warnings: string[] = [];
    const checkpointer = new Checkpointer({
      path: '/nowhere/at/all.db',
      clock,
      writes: () => 1,
      log: { warn: (_, sentence) => warnings.push(sentence) },
      holdWriter: (during) => during(),
    });
    atTheEnd(() => checkpointer.close());
    for (const failures of [1, 2]) {
      clock.advance(200);
      await until(() => checkpointer.stats.passes === failures, 'the pass is over');
      expect(checkpointer.stats.failures).toBe(failures);
    }
    expect(warnings[0]).toContain('checkpoint');
  });
});
