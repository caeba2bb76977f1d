import type { StoredEndpoint } from '../../../src/api/ports.ts';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { openDelivery, type Delivery } from '../../../src/delivery/delivery.ts';
import { parseEgressAllow } from '../../../src/delivery/wire/guard.ts';
import type { HostResolver } from '../../../src/delivery/wire/resolver.ts';
import { HttpSender } from '../../../src/delivery/wire/sender.ts';
import type { Store } from '../../../src/store/store.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { HookReceiver, type Behaviour } from '../../fakes/hook-receiver.ts';
import { endpointOf, eventOf } from '../../store/samples.ts';
import { atTheEnd, openTempStore, rowsOf, tempPath } from '../../store/temp-store.ts';

export interface House {
  readonly path: string;
  readonly store: Store;
  readonly delivery: Delivery;
  readonly tell: (callId: string, sequence: number) => Promise<void>;
}

export interface Wire {
  readonly ca?: string;
  readonly resolver?: HostResolver;
  readonly connectTimeoutMs?: number;
  readonly clock?: Clock;
}

/** Store, lanes and sockets as in production; only names resolve to here. */
export async function openHouse(
  endpoints: readonly Partial<StoredEndpoint>[],
  wire: Wire = {},
): Promise<House> {
  const path = tempPath();
  const store = await openTempStore({ path });
  for (const [index, change] of endpoints.entries()) {
    const quick = { retryDelaysMs: Array<number>(20).fill(30), timeoutMs: 400 };
    await store.endpoints.create(endpointOf(`whk_${index + 1}`, { ...quick, ...change }));
  }
  const resolver = wire.resolver ?? { resolve: async () => ['127.0.0.1'] };
  const allow = parseEgressAllow(['127.0.0.1']);
  const { clock = systemClock, connectTimeoutMs = 3_000 } = wire;
  const ca = wire.ca === undefined ? {} : { ca: wire.ca };
  const guarded = { clock, allow, resolver, connectTimeoutMs, userAgent: 'Omnivoice/1' };
  const delivery = openDelivery({
    outbox: store.outbox,
    health: store.health,
    clock,
    sender: new HttpSender({ ...guarded, ...ca }),
    settings: { egressAllow: ['127.0.0.1'], userAgent: 'Omnivoice/1', closeGraceMs: 10 },
    observer: { hookSent: () => undefined, attemptFinished: () => undefined },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  atTheEnd(() => delivery.close());
  await passing(clock, delivery.start());
  const tell = async (callId: string, sequence: number): Promise<void> => {
    const created_at = new Date(clock.unixMs()).toISOString();
    const id = `evt_${callId}_${sequence}`;
    delivery.accept(await store.journal.append([eventOf(callId, sequence, { id, created_at })]));
  };
  return { path, store, delivery, tell };
}

/** Where time is virtual, what waits for a moment of it has to be given one. */
async function passing(clock: Clock, work: Promise<void>): Promise<void> {
  if (!(clock instanceof FakeClock)) return work;
  const moving = setInterval(() => clock.advance(1), 1);
  return work.finally(() => clearInterval(moving));
}

export async function aReceiver(behaviour: Behaviour, options = {}): Promise<HookReceiver> {
  const receiver = await HookReceiver.open(behaviour, options);
  atTheEnd(() => receiver.close());
  return receiver;
}

export const logOf = (path: string) =>
  rowsOf(path, 'select error_class as class, status from attempts order by started_at, number');
export const statesOf = (path: string) =>
  rowsOf(path, 'select state from deliveries order by event_position').map(({ state }) => state);
export const sequencesOf = ({ received }: HookReceiver) =>
  received.map(({ body }) => (JSON.parse(body) as { sequence: number }).sequence);
