/* Journal and delivery without a house around them, in a process of its own: commits what it is told. */
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { openDelivery } from '../../src/delivery/delivery.ts';
import type { EventRecord } from '../../src/events/envelope.ts';
import { openStore } from '../../src/store/store.ts';
import { endpointOf, TEST_KEYS } from '../../test/store/samples.ts';
import { answerQuestions } from '../load/remote.ts';

const [folder = '.'] = process.argv.slice(2);
const store = await openStore({
  path: join(folder, 'store.db'),
  clock: systemClock,
  encryptionKeys: TEST_KEYS,
});
const delivery = openDelivery({
  outbox: store.outbox,
  health: store.health,
  clock: systemClock,
  settings: { egressAllow: ['127.0.0.1'], userAgent: 'Omnivoice/bench', closeGraceMs: 10 },
  observer: { hookSent: () => undefined, attemptFinished: () => undefined },
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
});

answerQuestions({
  open: async (urls: readonly string[]) => {
    for (const [index, url] of urls.entries()) {
      await store.endpoints.create(endpointOf(`whk_${index + 1}`, { url }));
    }
    await delivery.start();
  },
  /** One commit, as of a node that tells what happened since it told last. */
  tell: async (records: readonly EventRecord[]) => {
    delivery.accept(await store.journal.append(records));
  },
  stats: () => ({ delivery: delivery.stats }),
});
