import { createInterface } from 'node:readline';
import { systemClock } from '../../../src/base/clock.ts';
import { newId } from '../../../src/base/ids.ts';
import { Fleet } from '../../../src/control/fleet.ts';
import { openDelivery } from '../../../src/delivery/delivery.ts';
import { StreamHub } from '../../../src/delivery/stream-hub.ts';
import type { StreamItem } from '../../../src/delivery/streams.ts';
import { openStore } from '../../../src/store/store.ts';
import { eventOf, TEST_KEYS, WORKSPACE } from '../../store/samples.ts';

/**
 * What a control process has of a fleet: store, partitions, delivery, streams. Told by lines: `tell <call>
 * <first> <count>` commits, `replay <delivery>` sends one again, `stream <cursor or ->` prints what a reader
 * hears, `leave` leaves in order.
 */
const [databaseUrl = ''] = process.argv.slice(2);
const say = (line: object): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);
const clock = systemClock;
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const store = await openStore({ path: '', databaseUrl, clock, encryptionKeys: TEST_KEYS });
const fleet = new Fleet({ store, clock, log });
const delivery = openDelivery({
  outbox: store.outbox,
  health: store.health,
  territory: fleet.territory,
  clock,
  settings: { egressAllow: ['127.0.0.1'], userAgent: 'Omnivoice/1' },
  observer: { hookSent: () => undefined, attemptFinished: () => undefined },
  log,
});
const streams = new StreamHub({ journal: store.journal, clock, log });
await fleet.join({ delivery, streams });
await delivery.start();
say({ ready: process.pid });

const everything = { workspaceId: WORKSPACE, testMode: false, types: [], callId: null, agentId: null };

async function obey(line: string): Promise<void> {
  const [order, one = '', first = '1', count = '1'] = line.split(' ');
  if (order === 'tell') {
    const records = Array.from({ length: Number(count) }, (_, index) => {
      const id = `evt_${one}_${Number(first) + index}`;
      return eventOf(one, Number(first) + index, { id, created_at: new Date(clock.unixMs()).toISOString() });
    });
    fleet.committed(await store.journal.append(records));
    say({ told: one });
  } else if (order === 'stream') {
    const send = (item: StreamItem): void => {
      if (item.type === 'event') say({ heard: item.entry.position, cursor: item.cursor });
      else say({ gap: item });
    };
    const sink = { bufferedBytes: 0, send, end: (reason: string) => say({ ended: reason }) };
    streams.open({ ...everything, from: one === '-' ? null : one }, sink);
    say({ streaming: one });
  } else if (order === 'replay') {
    const wish = { deliveryId: one, replayId: newId('dlv', clock), sentAs: null };
    delivery.resend(await store.deliveries.replay([wish]));
    say({ replayed: one });
  } else if (order === 'holding') {
    say({ holding: fleet.stats.holding });
  } else if (order === 'leave') {
    await delivery.close();
    await fleet.close();
    await store.close();
    process.exit(0);
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  obey(line).catch((error: unknown) => {
    say({ failed: String(error) });
  });
});
