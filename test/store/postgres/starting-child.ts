import { systemClock } from '../../../src/base/clock.ts';
import { openStore } from '../../../src/store/store.ts';
import { eventsOf, TEST_KEYS } from '../samples.ts';

// Starts on a database that may be empty, commits once, and leaves.
const [databaseUrl, incarnation] = process.argv.slice(2);
const store = await openStore({
  path: '',
  databaseUrl: databaseUrl!,
  clock: systemClock,
  encryptionKeys: TEST_KEYS,
});
await store.journal.commit({
  incarnation: incarnation!,
  first: 1,
  records: eventsOf(`call_${incarnation}`, 3),
});
await store.close();
