import { systemClock } from '../../src/base/clock.ts';
import { openStore } from '../../src/store/store.ts';
import { eventOf, TEST_KEYS } from './samples.ts';

// Commits until it is killed, and says so only after each commit: one line per acknowledged record.
const [path, incarnation] = process.argv.slice(2);
const store = await openStore({ path: path!, clock: systemClock, encryptionKeys: TEST_KEYS });
for (let record = (await store.journal.cursorOf(incarnation!)) + 1; ; record += 3) {
  const records = [0, 1, 2].map((next) => eventOf(`call_${incarnation}`, record + next));
  const committed = await store.journal.commit({ incarnation: incarnation!, first: record, records });
  await store.outbox.record(
    {
      id: `att_${incarnation}_${record}`,
      deliveryId: committed[0]!.deliveries[0]!.deliveryId,
      number: 1,
      trigger: 'event',
      startedAt: '2026-11-20T12:00:00.000Z',
      durationMs: 1,
      requestHeaders: {},
      resolvedAddress: null,
      status: 200,
      responseHeaders: {},
      responseBody: '',
      errorClass: null,
      errorDetail: null,
    },
    { state: 'delivered', nextAttemptUnixMs: null },
  );
  process.stdout.write(`${record + 2}\n`);
}
