import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { OwedEvent } from '../../../src/delivery/outbox.ts';
import { FleetFeed } from '../../../src/delivery/partitions/fleet-feed.ts';
import { until } from '../../fakes/until.ts';
import { FakeOutbox, anEnvelope } from '../../fakes/outbox.ts';

/** A journal that several commit to, as one of them reads it; the first `failing` reads fail. */
async function aFleet(failing = 0) {
  const outbox = new FakeOutbox();
  const committed: OwedEvent[] = [];
  const published: OwedEvent[] = [];
  let failures = failing;
  const commit = (count: number): readonly OwedEvent[] => {
    const events = Array.from({ length: count }, (_, n) => outbox.commit(anEnvelope('call_1', n + 1)));
    committed.push(...events);
    return events;
  };
  const feed = new FleetFeed({
    source: {
      last: async () => committed.at(-1)?.position ?? 0,
      following: async (after, limit) => {
        await pause(1);
        if (failures-- > 0) throw new Error('the database does not answer');
        const rest = committed.filter(({ position }) => position > after).slice(0, limit);
        return rest.map(({ position, envelope }) => ({ position, envelope, deliveries: [] }));
      },
    },
    isOurs: () => true,
    publish: (events) => published.push(...events),
    clock: systemClock,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  await feed.start();
  return { feed, commit, published };
}

const positionsOf = (events: readonly OwedEvent[]) => events.map(({ position }) => position);
const upTo = (last: number) => Array.from({ length: last }, (_, n) => n + 1);

describe('the feed of a fleet', () => {
  it('passes on what was committed here in the same turn, as long as nobody else commits', async () => {
    const { feed, commit, published } = await aFleet();
    feed.committed(commit(3));
    feed.committed(commit(2));
    expect(positionsOf(published)).toEqual(upTo(5));
    expect(feed.stats).toMatchObject({ direct: 5, read: 0 });
  });

  it('reads what others committed before it passes on its own, which keeps its instants', async () => {
    const { feed, commit, published } = await aFleet();
    commit(3);
    feed.committed(commit(2));
    expect(published).toEqual([]);
    await until(() => published.length === 5);
    expect(positionsOf(published)).toEqual(upTo(5));
    const ownPositions = positionsOf(published.filter(({ committedAtMs }) => committedAtMs !== undefined));
    expect(ownPositions).toEqual([4, 5]);
  });

  it('passes on what others committed only once, however often it hears of it', async () => {
    const { feed, commit, published } = await aFleet();
    commit(500);
    for (const position of [1, 500, 250, 500]) feed.heard(position);
    await until(() => published.length === 500);
    feed.heard(500);
    feed.committed(commit(1));
    await until(() => published.length === 501);
    expect(positionsOf(published)).toEqual(upTo(501));
  });

  it('leaves no hole where the database was away', async () => {
    const { feed, commit, published } = await aFleet(1);
    commit(2);
    feed.heard(2);
    feed.committed(commit(2));
    await until(() => published.length === 4);
    expect(positionsOf(published)).toEqual(upTo(4));
    expect(feed.stats.readFailures).toBe(1);
  });
});
