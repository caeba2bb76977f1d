import { expect, it } from 'vitest';
import { Retention } from '../../src/control/retention.ts';
import { FakeClock } from '../fakes/clock.ts';

it('purges on while there is more than a pass may take, then once a minute', async () => {
  const clock = new FakeClock();
  const left = { events: 1_250, inbound: 700 };
  let passes = 0;
  const store = {
    purge: async ({ limit }: { limit: number }) => {
      passes++;
      const [events, inbound] = [Math.min(left.events, limit), Math.min(left.inbound, limit)];
      left.events -= events;
      left.inbound -= inbound;
      return { events, deliveries: 0, idempotency: 0, inbound };
    },
  };
  const retention = new Retention(store, clock, { warn: () => undefined });
  const settle = () => new Promise(setImmediate);
  clock.advance(60_000);
  await settle();
  for (let n = 0; n < 5; n++) {
    clock.advance(50);
    await settle();
  }
  expect([passes, left]).toEqual([3, { events: 0, inbound: 0 }]);
  clock.advance(60_000);
  await settle();
  expect(passes).toBe(4);
  await retention.close();
  clock.advance(600_000);
  await settle();
  expect(passes).toBe(4);
});
