import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { FleetNotices, LETTERS_SENT } from '../../../src/store/postgres/fleet-notices.ts';
import { SqlFleetLetters } from '../../../src/store/postgres/sql-fleet-letters.ts';
import { queried } from '../../fakes/postgres/databases.ts';
import { until } from '../../fakes/hook-receiver.ts';
import { atTheEnd } from '../temp-store.ts';
import { freshPostgres } from './fresh-postgres.ts';

async function open() {
  const { url, db } = await freshPostgres();
  const [one, other] = [new SqlFleetLetters(db), new SqlFleetLetters(db)];
  return { url, one, other };
}

const lettersOf = (from: string, to: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({ from, to, text: `${from} ${index + 1}` }));

describe('letters in a shared database', () => {
  it('are read once, in the order of their writer, by the name they were sent to', async () => {
    const { one, other } = await open();
    await Promise.all([
      one.send(lettersOf('a', 'queues', 3)),
      other.send([...lettersOf('b', 'queues', 2), { from: 'b', to: 'c', text: 'for c' }]),
    ]);
    await one.send([{ from: 'a', to: 'queues', text: 'a 4' }]);
    const first = await other.take(['queues', 'd'], 4);
    const rest = await one.take(['queues', 'd'], 4);
    const texts = [...first, ...rest].map(({ text }) => text);
    expect(texts.filter((text) => text.startsWith('a'))).toEqual(['a 1', 'a 2', 'a 3', 'a 4']);
    expect(texts.filter((text) => text.startsWith('b'))).toEqual(['b 1', 'b 2']);
    expect([...first, ...rest].every(({ ageMs }) => ageMs >= 0 && ageMs < 60_000)).toBe(true);
    expect(await one.take(['queues', 'd'], 4)).toEqual([]);
    expect(await one.take(['c'], 4)).toMatchObject([{ from: 'b', to: 'c', text: 'for c' }]);
  });

  it('are read by one of those who ask at once', async () => {
    const { one, other } = await open();
    await one.send(lettersOf('a', 'queues', 100));
    const taken = await Promise.all([one, other, one, other].map((letters) => letters.take(['queues'], 40)));
    const rest = await one.take(['queues'], 200);
    const texts = [...taken.flat(), ...rest].map(({ text }) => text);
    expect(texts.length).toBe(100);
    expect(new Set(texts).size).toBe(100);
  });

  it('are told to whom they are for, and forgotten where nobody reads them', async () => {
    const { one, url } = await open();
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const notices = new FleetNotices({ url, clock: systemClock, log });
    atTheEnd(() => notices.close());
    const heard: string[] = [];
    notices.on(LETTERS_SENT, (_, name) => heard.push(name));
    notices.start();
    await until(() => notices.stats.looks > 0);
    await one.send([...lettersOf('a', 'queues', 2), ...lettersOf('a', 'b', 1)]);
    await until(() => heard.length === 2);
    expect(heard).toEqual(['queues', 'b']);
    await queried(url, "update fleet_letters set sent_unix_ms = 1 where addressee = 'b'");
    expect(await one.forget(60_000)).toBe(1);
    expect((await one.take(['queues', 'b'], 10)).length).toBe(2);
  });
});
