import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { VoiceError } from '../../../src/base/errors.ts';
import { openStore } from '../../../src/store/store.ts';
import { Cluster } from '../../fakes/postgres/cluster.ts';
import { eventsOf, TEST_KEYS, WORKSPACE } from '../samples.ts';
import { atTheEnd } from '../temp-store.ts';

const RESTARTS = process.env['OMNIVOICE_TEST_LONG'] === undefined ? 2 : 20;
const RECORDS = 3_000;
const BATCH = 3;

it('a database that restarts in the middle of commits loses nothing and doubles nothing', async () => {
  const cluster = new Cluster(mkdtempSync(join(tmpdir(), 'omnivoice-outage-')));
  atTheEnd(() => cluster.remove());
  await cluster.make();
  const store = await openStore({
    path: '',
    databaseUrl: cluster.urlOf('postgres'),
    clock: systemClock,
    encryptionKeys: TEST_KEYS,
  });
  atTheEnd(() => store.close());

  // As a node does: what is not acknowledged is sent again.
  const spool = eventsOf('call_1', RECORDS);
  const failures: unknown[] = [];
  const sent = { all: false };
  const sending = (async () => {
    for (let at = 0; at < spool.length;) {
      const records = spool.slice(at, at + BATCH);
      try {
        await store.journal.commit({ incarnation: 'nod_1', first: at + 1, records });
        at += BATCH;
      } catch (error) {
        failures.push(error);
        // Refused at once while it is down: let the restart have the processor.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    sent.all = true;
  })();
  for (let restart = 0; restart < RESTARTS; restart++) {
    const from = await store.journal.cursorOf('nod_1').catch(() => 0);
    while (!sent.all && (await store.journal.cursorOf('nod_1').catch(() => 0)) < from + 30);
    await cluster.stop(restart % 2 === 0 ? 'immediate' : 'fast');
    await expect(store.journal.bounds()).rejects.toMatchObject({ code: 'unavailable' });
    await cluster.start();
  }
  await sending;

  expect(failures.length).toBeGreaterThan(0);
  expect(failures.filter((error) => !(error instanceof VoiceError && error.code === 'unavailable'))).toEqual(
    [],
  );
  expect(store.stats.connections.lost).toBeGreaterThan(0);
  const read = await store.journal.read({ workspaceId: WORKSPACE, limit: RECORDS + 1 });
  expect(read.map(({ envelope }) => envelope.sequence)).toEqual(
    spool.map(({ envelope }) => envelope.sequence),
  );
  expect(read.map(({ position }) => position)).toEqual(read.map((_, index) => index + 1));
  expect((await store.calls.get(WORKSPACE, 'call_1'))?.sequence).toBe(RECORDS);
}, 120_000);
