import { expect, it } from 'vitest';
import { FleetMail } from '../../../src/control/queues/fleet-mail.ts';
import { FakeClock } from '../../fakes/clock.ts';

it('letters that do not open are counted, and what is to be done is said once', async () => {
  const clock = new FakeClock();
  const warned: string[] = [];
  const stats = { unreadable: 0 };
  const take = async (): Promise<[]> => {
    stats.unreadable += 2;
    return [];
  };
  const mail = new FleetMail({
    letters: { stats, send: async () => {}, take, forget: async () => 0 },
    name: 'here',
    names: () => ['here'],
    take: () => {},
    clock,
    log: { warn: (_, sentence) => warned.push(sentence) },
  });
  mail.start();
  for (let look = 0; look < 3; look++) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1_000);
  }
  expect(mail.unreadable).toBeGreaterThan(2);
  expect(warned).toEqual([expect.stringContaining('OMNIVOICE_ENCRYPTION_KEYS')]);
  await mail.close();
});
