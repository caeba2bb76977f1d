import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { endpointOf, WORKSPACE } from './samples.ts';
import { describeOnEachEngine, isOnPostgres, openTempStore, rowsIn, tempPath } from './temp-store.ts';

const CHILD = join(import.meta.dirname, 'committing-child.ts');
const ROUNDS = process.env['OMNIVOICE_TEST_LONG'] === undefined ? 3 : 100;

/** Lets a process commit until it has acknowledged so much, and kills it in the middle of its work. */
async function lastAcknowledged(path: string, incarnation: string, records: number): Promise<number> {
  const child = spawn(process.execPath, [CHILD, path, incarnation], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let last = 0;
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (++lines * 3 === records) child.kill('SIGKILL');
  }
  expect((await ended)[1]).toBe('SIGKILL');
  return last;
}

/** PostgreSQL checks its own pages as it recovers. */
function integrityCheck(): string {
  return isOnPostgres() ? `select 'ok' as integrity_check` : 'pragma integrity_check';
}

describeOnEachEngine('a process killed while it commits', () => {
  it('leaves everything it acknowledged, whole transactions and nothing else', async () => {
    const path = tempPath();
    const preparing = await openTempStore({ path });
    await preparing.endpoints.create(endpointOf('whk_1'));
    await preparing.close();
    for (let round = 1; round <= ROUNDS; round++) {
      const acknowledged = await lastAcknowledged(path, 'nod_1', 60 * round);
      const store = await openTempStore({ path });
      const { journal, calls, outbox } = store;
      const cursor = await journal.cursorOf('nod_1');
      expect(cursor).toBeGreaterThanOrEqual(acknowledged);
      const read = await journal.read({ workspaceId: WORKSPACE, limit: 1_000_000 });
      expect(read.map(({ envelope }) => envelope.sequence)).toEqual(
        Array.from({ length: cursor }, (_, index) => index + 1),
      );
      expect((await calls.get(WORKSPACE, 'call_nod_1'))?.sequence).toBe(cursor);
      expect(await rowsIn(path, 'select count(*) as n from deliveries')).toEqual([{ n: cursor }]);
      // Each batch settled its first delivery, after its commit and before its line; at most one of each
      // round was killed in between.
      const owed = await outbox.unfinished({ position: 0, id: '' }, 1_000_000);
      const settled = cursor - owed.length;
      expect(settled).toBeGreaterThanOrEqual(cursor / 3 - round);
      expect(await rowsIn(path, 'select count(*) as n from attempts')).toEqual([{ n: settled }]);
      expect(await rowsIn(path, integrityCheck())).toEqual([{ integrity_check: 'ok' }]);
      await store.close();
    }
  });
});
