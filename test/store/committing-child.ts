import { systemClock } from '../../src/base/clock.ts';
import { openStore } from '../../src/store/store.ts';
import { attemptOf, eventOf, GOOD, TEST_KEYS } from './samples.ts';

// Commits until it is killed, and says so only after each commit: one line per acknowledged record.
const [path, incarnation] = process.argv.slice(2);
const store = await openStore({
  path: path!,
  databaseUrl: path!.startsWith('postgres:') ? path : undefined,
  clock: systemClock,
  encryptionKeys: TEST_KEYS,
});
for (let record = (await store.journal.cursorOf(incarnation!)) + 1; ; record += 3) {
  const records = [0, 1, 2].map((next) => eventOf(`call_${incarnation}`, record + next));
  const committed = await store.journal.commit({ incarnation: incarnation!, first: record, records });
  await store.outbox.record(
    attemptOf(committed[0]!.deliveries[0]!.deliveryId, 1, { ...GOOD, id: `att_${incarnation}_${record}` }),
    { state: 'delivered', nextAttemptUnixMs: null },
  );
  process.stdout.write(`${record + 2}\n`);
}
