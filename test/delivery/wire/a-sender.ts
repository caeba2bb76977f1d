import { systemClock } from '../../../src/base/clock.ts';
import type { Endpoint } from '../../../src/delivery/outbox.ts';
import { parseEgressAllow } from '../../../src/delivery/wire/guard.ts';
import { HttpSender, type HttpSenderOptions } from '../../../src/delivery/wire/sender.ts';
import { HookReceiver, type Behaviour } from '../../fakes/hook-receiver.ts';
import { anEndpoint, anEnvelope } from '../../fakes/outbox.ts';
import { atTheEnd } from '../../store/temp-store.ts';

/** A receiver that is gone with the test. */
export async function receiverThat(behaviour: Behaviour, options = {}): Promise<HookReceiver> {
  const receiver = await HookReceiver.open(behaviour, options);
  atTheEnd(() => receiver.close());
  return receiver;
}

/** A sender that may reach this machine; gone with the test. */
export function aSender(change: Partial<HttpSenderOptions> = {}): HttpSender {
  const sender = new HttpSender({
    clock: systemClock,
    allow: parseEgressAllow(['127.0.0.0/8']),
    resolver: { resolve: async () => ['127.0.0.1'] },
    userAgent: 'Omnivoice/1.2.3',
    ...change,
  });
  atTheEnd(() => sender.close());
  return sender;
}

/** undici hands a socket back to its pool a turn after the answer. */
export const socketIsBack = () => new Promise(setImmediate);

/** One attempt of a plain endpoint, or as told. */
export const request = (endpoint: Partial<Endpoint>, number = 1) => ({
  endpoint: anEndpoint({ timeoutMs: 5_000, ...endpoint }),
  deliveryId: 'dlv_1',
  number,
  trigger: 'event' as const,
  envelope: ENVELOPE,
});
/** What it tells. */
export const ENVELOPE = anEnvelope('call_1', 7, { data: { text: 'größer als € 😀\u2028' } });
