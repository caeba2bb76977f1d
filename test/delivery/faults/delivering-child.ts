import { systemClock } from '../../../src/base/clock.ts';
import { openDelivery } from '../../../src/delivery/delivery.ts';
import { openStore } from '../../../src/store/store.ts';
import { eventOf, TEST_KEYS } from '../../store/samples.ts';

/**
 * One life of a delivering process, until it is killed. `unsent`: commits and hands nothing on. `unrecorded`:
 * sends, and no answer ever gets on record. `well`: sends whatever is owed.
 */
const [path = '', mode = '', calls = '0', events = '0'] = process.argv.slice(2);
const store = await openStore({ path, clock: systemClock, encryptionKeys: TEST_KEYS });
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const { outbox } = store;
const delivery = openDelivery({
  outbox:
    mode === 'unrecorded'
      ? {
          endpoints: () => outbox.endpoints(),
          unfinished: (after, limit) => outbox.unfinished(after, limit),
          load: (id) => outbox.load(id),
          following: (lane, position, limit) => outbox.following(lane, position, limit),
          undelivered: (limit) => outbox.undelivered(limit),
          record: () => new Promise(() => undefined),
        }
      : outbox,
  health: store.health,
  clock: systemClock,
  settings: { egressAllow: ['127.0.0.1'], userAgent: 'Omnivoice/1' },
  observer: { hookSent: () => undefined, attemptFinished: () => undefined },
  log: quiet,
});
if (mode !== 'unsent') await delivery.start();
for (let call = 1; call <= Number(calls); call++) {
  const callId = `call_${mode}_${call}`;
  const made = Array.from({ length: Number(events) }, (_, index) => {
    const id = `evt_${callId}_${index + 1}`;
    return eventOf(callId, index + 1, { id, created_at: new Date(systemClock.unixMs()).toISOString() });
  });
  const committed = await store.journal.append(made);
  if (mode !== 'unsent') delivery.accept(committed);
}
process.stdout.write('committed\n');
setInterval(() => undefined, 1_000);
