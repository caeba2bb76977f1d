import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createParser } from 'eventsource-parser';
import { WebSocket } from 'ws';
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

/** One reader over all of its connections: it resumes after the last cursor it saw. */
interface Reader {
  readonly ids: string[];
  readonly open: () => Promise<void>;
  readonly cut: () => void;
}

function sseReader(key: string): Reader {
  const ids: string[] = [];
  let cursor: string | undefined;
  let abort = new AbortController();
  const open = async (): Promise<void> => {
    abort = new AbortController();
    const { signal } = abort;
    const resume: { [name: string]: string } = cursor === undefined ? {} : { 'last-event-id': cursor };
    const response = await fetch(`http://127.0.0.1:${house.api.port}/api/v1/events/stream`, {
      headers: { authorization: `Bearer ${key}`, ...resume },
      signal,
    });
    if (response.status !== 200) throw new Error(`stream refused: ${response.status}`);
    const parser = createParser({
      onEvent: ({ id, data }) => {
        if (signal.aborted) return;
        cursor = id;
        ids.push((JSON.parse(data) as { id: string }).id);
      },
    });
    const read = async (): Promise<void> => {
      const decoder = new TextDecoder();
      for await (const bytes of response.body!) parser.feed(decoder.decode(bytes, { stream: true }));
    };
    read().catch(() => undefined);
  };
  opened.push(() => abort.abort());
  return { ids, open, cut: () => abort.abort() };
}

function socketReader(key: string): Reader {
  const ids: string[] = [];
  let cursor: string | undefined;
  let socket: WebSocket | undefined;
  const open = async (): Promise<void> => {
    const query = cursor === undefined ? '' : `?from=${cursor}`;
    const opening = new WebSocket(`ws://127.0.0.1:${house.api.port}/api/v1/events/ws${query}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    socket = opening;
    opening.on('message', (data: Buffer) => {
      if (opening !== socket) return;
      const said = JSON.parse(data.toString()) as { cursor: string; event?: { id: string } };
      ({ cursor } = said);
      if (said.event !== undefined) ids.push(said.event.id);
    });
    await new Promise((resolve, reject) => opening.once('open', resolve).once('error', reject));
  };
  const cut = (): void => {
    socket?.terminate();
    socket = undefined;
  };
  opened.push(cut);
  return { ids, open, cut };
}

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
    readers.push(number % 2 === 0 ? sseReader(key) : socketReader(key));
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
