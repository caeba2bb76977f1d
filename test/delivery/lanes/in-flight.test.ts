import { describe, expect, it } from 'vitest';
import { openDelivery } from '../../../src/delivery/delivery.ts';
import { LANE_LIMITS } from '../../../src/delivery/lanes/lane-entry.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { FakeSender } from '../../fakes/hook-sender.ts';
import { anEndpoint, anEnvelope, FakeOutbox } from '../../fakes/outbox.ts';

const HANGING_MS = 10_000;

/** Endpoints whose requests hang, and one that is well, all under one budget. */
async function openHouse(hanging: number) {
  const clock = new FakeClock({ nowMs: 1_000 });
  const sender = new FakeSender(clock);
  const ids = [...Array.from({ length: hanging }, (_, index) => `whk_hangs_${index}`), 'whk_well'];
  const outbox = new FakeOutbox(ids.map((id) => anEndpoint({ id })));
  sender.durationMs = ({ endpoint }) => (endpoint.id === 'whk_well' ? 1 : HANGING_MS);
  const delivery = openDelivery({
    outbox,
    clock,
    sender,
    settings: {
      egressAllow: [],
      userAgent: 'Omnivoice/1',
      limits: { ...LANE_LIMITS, inFlightMax: 8 },
      inFlight: { sharedMax: 10, ownMax: 2 },
    },
    observer: { hookSent: () => undefined, attemptFinished: () => undefined },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  const start = delivery.start();
  await sender.pass(clock);
  await start;
  const tell = (callId: string, endpointIds: readonly string[]): void =>
    delivery.accept([outbox.commit(anEnvelope(callId, 1), [...endpointIds])]);
  const inFlightOf = (id: string) =>
    sender.sent.filter(({ endpoint }) => endpoint.id === id).length -
    outbox.recorded.filter(({ attempt }) => outbox.rows.get(attempt.deliveryId)!.endpointId === id).length;
  return { clock, sender, outbox, delivery, ids, tell, inFlightOf };
}

describe('requests under way in the whole house', () => {
  it('are so many, and an endpoint that is well has its own when the others hang with all of theirs', async () => {
    const { clock, sender, delivery, ids, tell, outbox } = await openHouse(5);
    for (let call = 0; call < 20; call++) tell(`call_${call}`, ids.slice(0, 5));
    expect(sender.inFlight).toBe(10 + 5 * 2);
    for (let call = 0; call < 20; call++) tell(`call_${call}`, ['whk_well']);
    await sender.pass(clock, 100);
    expect(outbox.statesOf('whk_well')).toEqual(Array(20).fill('delivered'));
    expect(sender.inFlight).toBe(10 + 5 * 2);
    expect(delivery.stats.inFlightWaits).toBeGreaterThan(0);
  });

  it('that come free go round, one to each endpoint that waits', async () => {
    const { clock, sender, ids, tell, inFlightOf } = await openHouse(5);
    const [first = '', second = '', ...late] = ids.slice(0, 5);
    for (let call = 0; call < 30; call++) tell(`call_${call}`, [first, second]);
    // The first two have the whole of what is shared; then three others come and wait.
    expect([first, second].map(inFlightOf)).toEqual([7, 7]);
    for (let call = 0; call < 30; call++) tell(`call_${call}`, late);
    expect(late.map(inFlightOf)).toEqual([2, 2, 2]);
    await sender.pass(clock, HANGING_MS + 10);
    const shares = ids.slice(0, 5).map((id) => inFlightOf(id) - 2);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBe(10);
    expect(shares).toEqual([2, 2, 2, 2, 2]);
  });

  it('are all given back', async () => {
    const { clock, sender, delivery, ids, tell } = await openHouse(5);
    for (let round = 0; round < 3; round++) {
      for (let call = 0; call < 10; call++) tell(`call_${round}_${call}`, ids);
      await sender.pass(clock, 10 * HANGING_MS);
      expect(delivery.stats).toMatchObject({ inFlight: 0, entries: 0 });
    }
    for (let call = 0; call < 20; call++) tell(`call_${call}`, ids.slice(0, 5));
    expect(sender.inFlight).toBe(10 + 5 * 2);
  });
});
