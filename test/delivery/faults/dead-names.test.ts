import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { HostResolver } from '../../../src/delivery/wire/resolver.ts';
import { answers } from '../../fakes/hook-receiver.ts';
import { until } from '../../fakes/until.ts';
import { atTheEnd } from '../../store/temp-store.ts';
import { aReceiver, logOf, openHouse, sequencesOf } from './open-house.ts';

/** A name server that knows one name, and keeps silent about all others until it is told to deny them. */
async function openNameServer(
  known: string,
): Promise<{ readonly port: number; readonly denyOthers: () => void }> {
  const server = createSocket('udp4');
  const held: (() => void)[] = [];
  let isDenying = false;
  server.on('message', (query, { port, address }) => {
    const answer = (): void => server.send(answerTo(query, known), port, address);
    if (isDenying || nameIn(query) === known) answer();
    else held.push(answer);
  });
  await new Promise<void>((resolve) => {
    server.bind(0, '127.0.0.1', resolve);
  });
  atTheEnd(() => void server.close());
  const denyOthers = (): void => {
    isDenying = true;
    for (const answer of held) answer();
  };
  return { port: server.address().port, denyOthers };
}

function answerTo(query: Buffer, known: string): Buffer {
  const question = query.subarray(12, questionEnd(query));
  const isKnown = nameIn(query) === known;
  const isFound = isKnown && query.readUInt16BE(questionEnd(query) - 4) === 1;
  // RFC 1035 §4.1.1: a response; code 0, or 3: there is no such name.
  const head = [query[0]!, query[1]!, 0x81, isKnown ? 0x80 : 0x83, 0, 1, 0, isFound ? 1 : 0, 0, 0, 0, 0];
  const address = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
  return Buffer.concat([Buffer.from(head), question, ...(isFound ? [address] : [])]);
}

function nameIn(query: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; query[at] !== 0; at += query[at]! + 1) {
    labels.push(query.subarray(at + 1, at + 1 + query[at]!).toString());
  }
  return labels.join('.');
}

// What c-ares adds after the question (EDNS, RFC 6891) is not repeated.
function questionEnd(query: Buffer): number {
  let at = 12;
  while (query[at] !== 0) at += query[at]! + 1;
  return at + 5;
}

describe('dead names', () => {
  it('by the hundreds delay nobody whose name is well', async () => {
    const dead = process.env['OMNIVOICE_TEST_LONG'] === undefined ? 50 : 500;
    const server = await openNameServer('well.test');
    // Long past the test: not one of the dead fails before it is denied.
    const patienceMs = 300_000;
    // A burst of questions may lose one: it is asked again, each time after twice as long.
    const asked = new Resolver({ timeout: 1_000, tries: 9 });
    asked.setServers([`127.0.0.1:${server.port}`]);
    const answered = (records: readonly { address: string; ttl: number }[]) =>
      records.map(({ address, ttl }) => ({ address, ttlS: ttl }));
    const resolver = new HostResolver(systemClock, {
      dns: {
        resolve4: async (host) => answered(await asked.resolve4(host, { ttl: true })),
        resolve6: async (host) => answered(await asked.resolve6(host, { ttl: true })),
      },
    });
    const receiver = await aReceiver(answers.status(200));
    const plain = { retryDelaysMs: [], timeoutMs: patienceMs };
    const names = Array.from({ length: dead }, (_, index) => ({
      url: `http://dead-${index}.test/`,
      ...plain,
    }));
    const well = { url: `http://well.test:${receiver.port}/`, ...plain };
    const wire = { resolver, connectTimeoutMs: patienceMs };
    const { path, delivery, tell } = await openHouse([...names, well], wire);
    for (let sequence = 1; sequence <= 5; sequence++) await tell('call_1', sequence);
    await until(() => logOf(path).length === 5, 'five attempts', 20_000);
    // All is told to the one that is well while every one of the dead still waits for its name.
    expect(sequencesOf(receiver)).toEqual([1, 2, 3, 4, 5]);
    expect(delivery.stats.inFlight).toBe(dead);
    server.denyOthers();
    await until(
      () => logOf(path).filter((row) => row['class'] === 'dns_error').length >= dead,
      'every dead name was tried',
      30_000,
    );
  }, 60_000);
});
