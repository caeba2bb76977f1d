import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sseReader, socketReader, type Reader } from '../../fakes/stream-readers.ts';
import { openTestApi, type TestApi } from '../open-test-api.ts';

// Of each kind; a key may open a hundred.
const READERS = process.env['OMNIVOICE_TEST_LONG'] === undefined ? 10 : 200;
const READERS_PER_KEY = 50;
const DEADLINE = { timeout: 30_000, interval: 10 };

let house: TestApi;
let keys: string[];
const opened: (() => void)[] = [];

beforeEach(async () => {
  house = await openTestApi();
  await house.api.listen();
  const count = Math.ceil((2 * READERS) / READERS_PER_KEY) + 1;
  keys = Array.from({ length: count }, () => house.key({ ratePerMinute: 600 }));
});
afterEach(async () => {
  for (const close of opened.splice(0)) close();
  await house.api.close();
});

/** One after the other, with the time that a workspace's request limit wants between so many. */
async function openEach(readers: readonly Reader[]): Promise<void> {
  for (const [index, reader] of readers.entries()) {
    await reader.open();
    if (index % 25 === 24) house.clock.advance(4_000);
  }
}

async function openAll(): Promise<readonly Reader[]> {
  const readers: Reader[] = [];
  for (let number = 0; number < 2 * READERS; number++) {
    const key = keys[Math.floor(number / READERS_PER_KEY)]!;
    const base = `http://127.0.0.1:${house.api.port}/api/v1`;
    const reader = number % 2 === 0 ? sseReader(base, key) : socketReader(base, key);
    opened.push(reader.cut);
    readers.push(reader);
  }
  await openEach(readers);
  await expect.poll(() => house.api.stats()['streamOpen'], DEADLINE).toBe(2 * READERS);
  return readers;
}

const expected = (count: number) => Array.from({ length: count }, (_, index) => `evt_${index + 1}`);
const tell = (count: number, data = {}) => {
  for (let i = 0; i < count; i++) house.journal.commit({ data });
};

describe('a crowd of readers, half over SSE and half over WebSocket,', () => {
  it('resumes after its connections were cut, each with no hole and no duplicate', async () => {
    const readers = await openAll();
    tell(5);
    await expect.poll(() => readers.every(({ ids }) => ids.length > 0), DEADLINE).toBe(true);
    tell(20);
    // In the middle: what was on its way to them is lost with the connection.
    for (const reader of readers) reader.cut();
    expect(readers.some(({ ids }) => ids.length < 25)).toBe(true);
    tell(200);
    await openEach(readers);
    tell(25);
    for (const { ids } of readers) {
      await expect.poll(() => ids.length, DEADLINE).toBe(250);
      expect(ids).toEqual(expected(250));
    }
  }, 120_000);

  it('does not notice the one that stopped reading, which is cut at its limit', async () => {
    const readers = await openAll();
    const slow = connect(house.api.port, '127.0.0.1');
    opened.push(() => slow.destroy());
    const key = keys.at(-1)!;
    slow.pause();
    slow.write(`GET /api/v1/events/stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\n\r\n`);
    await expect.poll(() => house.api.stats()['streamOpen'], DEADLINE).toBe(2 * READERS + 1);
    let told = 0;
    const data = { text: 'x'.repeat(64 * 1024) };
    while (house.api.stats()['streamTooSlow'] !== 1) {
      tell(1, data);
      told++;
      expect(told).toBeLessThan(1_000);
      await expect.poll(() => readers.every(({ ids }) => ids.length === told), DEADLINE).toBe(true);
    }
    for (const { ids } of readers) expect(ids).toEqual(expected(told));
  }, 120_000);
});
