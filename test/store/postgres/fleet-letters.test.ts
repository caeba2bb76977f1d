import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Cipher } from '../../../src/store/cipher.ts';
import { FleetNotices, LETTERS_SENT } from '../../../src/store/postgres/fleet-notices.ts';
import { SqlFleetLetters } from '../../../src/store/postgres/sql-fleet-letters.ts';
import { queried } from '../../fakes/postgres/databases.ts';
import { until } from '../../fakes/until.ts';
import { TEST_KEYS } from '../samples.ts';
import { atTheEnd } from '../temp-store.ts';
import { freshPostgres } from './fresh-postgres.ts';

async function open() {
  const { url, db } = await freshPostgres();
  const cipher = new Cipher(TEST_KEYS, systemClock);
  const [one, other] = [new SqlFleetLetters(db, cipher), new SqlFleetLetters(db, cipher)];
  return { url, db, one, other };
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

  it('lie sealed: who reads the database reads none of them, and lays none of them elsewhere', async () => {
    const { one, other, url } = await open();
    const join = JSON.stringify({ type: 'told', news: { join: { token: 'a-way-into-the-call' } } });
    await one.send([
      { from: 'a', to: 'b', text: join },
      { from: 'a', to: 'c', text: 'for c' },
      { from: 'a', to: 'd', text: 'for d' },
    ]);
    const rows = await queried(url, 'select * from fleet_letters order by number');
    expect(JSON.stringify(rows)).not.toMatch(/a-way-into|told|for c/);
    await queried(url, "update fleet_letters set addressee = 'b' where addressee = 'c'");
    await queried(url, "update fleet_letters set body = 'for d' where addressee = 'd'");
    expect(await other.take(['b', 'd'], 10)).toMatchObject([{ from: 'a', to: 'b', text: join }]);
    expect(other.stats.unreadable).toBe(2);
    expect(await queried(url, 'select * from fleet_letters')).toEqual([]);
  });

  it('are opened while keys change one host after the other, and dropped by a host without them', async () => {
    const { db } = await open();
    const next = { id: 'k2', key: new Uint8Array(32).fill(9) };
    const holding = (...keys: typeof TEST_KEYS) => new SqlFleetLetters(db, new Cipher(keys, systemClock));
    const [before, between, after] = [holding(...TEST_KEYS), holding(next, ...TEST_KEYS), holding(next)];
    await before.send(lettersOf('a', 'q', 1));
    await between.send(lettersOf('b', 'q', 1));
    expect((await between.take(['q'], 10)).map(({ text }) => text)).toEqual(['a 1', 'b 1']);
    await before.send(lettersOf('a', 'q', 1));
    await after.send(lettersOf('c', 'q', 1));
    expect((await after.take(['q'], 10)).map(({ text }) => text)).toEqual(['c 1']);
    expect(after.stats.unreadable).toBe(1);
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
