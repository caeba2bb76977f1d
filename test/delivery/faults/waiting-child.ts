import { systemClock } from '../../../src/base/clock.ts';
import { openDelivery } from '../../../src/delivery/delivery.ts';
import { openStore } from '../../../src/store/store.ts';
import { endpointOf, eventOf, TEST_KEYS } from '../../store/samples.ts';

/** Commits events for an endpoint that is dead, and says what waiting for it costs, each time so many wait. */
const [path = '', url = '', step = '0', steps = '0'] = process.argv.slice(2);
const EVENTS_PER_CALL = 4;
const EVENTS_PER_COMMIT = 50;
const store = await openStore({ path, clock: systemClock, encryptionKeys: TEST_KEYS });
await store.endpoints.create(endpointOf('whk_dead', { url }));
const delivery = openDelivery({
  outbox: store.outbox,
  health: store.health,
  clock: systemClock,
  settings: { egressAllow: ['127.0.0.1'], userAgent: 'Omnivoice/1', sweepMs: 1_000 },
  observer: { hookSent: () => undefined, attemptFinished: () => undefined },
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
});
await delivery.start();

let waiting = 0;
for (let stage = 0; stage < Number(steps); stage++) {
  for (let told = 0; told < Number(step); told += EVENTS_PER_COMMIT) {
    const created_at = new Date(systemClock.unixMs()).toISOString();
    const events = Array.from({ length: Math.min(EVENTS_PER_COMMIT, Number(step) - told) }, () => {
      const number = waiting++;
      const callId = `call_${Math.floor(number / EVENTS_PER_CALL)}`;
      return eventOf(callId, 1 + (number % EVENTS_PER_CALL), { created_at });
    });
    delivery.accept(await store.journal.append(events));
    await new Promise(setImmediate);
  }
  globalThis.gc?.();
  const { entries, envelopes, delivered } = delivery.stats;
  const residentMb = process.memoryUsage.rss() / 2 ** 20;
  process.stdout.write(`${JSON.stringify({ waiting, entries, envelopes, delivered, residentMb })}\n`);
}
await delivery.close();
await store.close();
