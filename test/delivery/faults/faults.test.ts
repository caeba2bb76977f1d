import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { StoredEndpoint } from '../../../src/api/ports.ts';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { openDelivery, type Delivery } from '../../../src/delivery/delivery.ts';
import { parseEgressAllow } from '../../../src/delivery/wire/guard.ts';
import { HostResolver } from '../../../src/delivery/wire/resolver.ts';
import { HttpSender } from '../../../src/delivery/wire/sender.ts';
import type { Store } from '../../../src/store/store.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { makeCertificate } from '../../fakes/gateway-certificate.ts';
import { answers, HookReceiver, until, type Behaviour } from '../../fakes/hook-receiver.ts';
import { endpointOf, eventOf } from '../../store/samples.ts';
import { openTempStore, rowsOf, tempPath } from '../../store/temp-store.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface House {
  readonly path: string;
  readonly store: Store;
  readonly delivery: Delivery;
  readonly tell: (callId: string, sequence: number) => Promise<void>;
}

interface Wire {
  readonly ca?: string;
  readonly resolver?: HostResolver;
  readonly connectTimeoutMs?: number;
  readonly clock?: Clock;
}

/** Store, lanes and sockets as in production; only names resolve to here. */
async function openHouse(endpoints: readonly Partial<StoredEndpoint>[], wire: Wire = {}): Promise<House> {
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
  closing.push(() => delivery.close());
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
  let isDone = false;
  void work.finally(() => (isDone = true));
  while (clock instanceof FakeClock && !isDone) {
    clock.advance(1);
    await new Promise(setImmediate);
  }
  return work;
}

async function aReceiver(behaviour: Behaviour, options = {}): Promise<HookReceiver> {
  const receiver = await HookReceiver.open(behaviour, options);
  closing.push(() => receiver.close());
  return receiver;
}

const logOf = (path: string) =>
  rowsOf(path, 'select error_class as class, status from attempts order by started_at, number');
const statesOf = (path: string) =>
  rowsOf(path, 'select state from deliveries order by event_position').map(({ state }) => state);
const sequencesOf = ({ received }: HookReceiver) =>
  received.map(({ body }) => (JSON.parse(body) as { sequence: number }).sequence);

const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024));
const good = answers.status(200);

describe('a receiver that', () => {
  it.each<[string, Behaviour, string, number | null]>([
    ['resets the connection', answers.reset(), 'connection_reset', null],
    ['takes the request and says nothing', answers.silence(), 'timeout_response', null],
    ['drips its answer', answers.drip(), 'timeout_response', 200],
    [
      'redirects to the metadata service',
      answers.status(302, { location: 'http://169.254.169.254/' }),
      'redirect',
      302,
    ],
    ['is broken', answers.status(500), 'http_5xx', 500],
    ['does not want it', answers.status(404), 'http_4xx', 404],
  ])(
    '%s is tried again, in order, and logged as what it is',
    async (_what, behaviour, errorClass, status) => {
      const receiver = await aReceiver(answers.inTurn(behaviour, good));
      const { path, tell } = await openHouse([{ url: receiver.url() }]);
      await tell('call_1', 1);
      await tell('call_1', 2);
      await until(() => statesOf(path).every((state) => state === 'delivered'));
      expect(sequencesOf(receiver)).toEqual([1, 1, 2]);
      expect(logOf(path)).toEqual([
        { class: errorClass, status },
        { class: null, status: 200 },
        { class: null, status: 200 },
      ]);
    },
  );

  it.each<[string, Behaviour]>([
    ['as much body as it can', answers.flood()],
    ['a gzip bomb', answers.status(200, { 'content-encoding': 'gzip' }, bomb.toString('latin1'))],
  ])('answers with %s is heard to the cap and no further', async (_what, behaviour) => {
    const receiver = await aReceiver(behaviour);
    const { path, tell } = await openHouse([{ url: receiver.url(), timeoutMs: 5_000 }]);
    await tell('call_1', 1);
    await until(() => statesOf(path)[0] === 'delivered');
    const [row] = rowsOf(path, 'select length(response_body) as kept from attempts');
    expect(Number(row!['kept'])).toBeLessThanOrEqual(16 * 1024);
    expect(receiver.received).toHaveLength(1);
  });

  it('is not there is found when it is', async () => {
    const closed = await HookReceiver.open();
    const { port } = closed;
    await closed.close();
    const { path, tell } = await openHouse([{ url: `http://127.0.0.1:${port}/hook` }]);
    await tell('call_1', 1);
    await until(() => logOf(path).length > 0);
    const receiver = await aReceiver(good, { port });
    await until(() => statesOf(path)[0] === 'delivered');
    expect(sequencesOf(receiver)).toEqual([1]);
    expect(logOf(path)[0]).toEqual({ class: 'connection_refused', status: null });
  });

  it.each([
    ['seconds', '60', 60_000],
    ['a date', new Date(new FakeClock().unixMs() + 60_000).toUTCString(), 60_000],
    ['nonsense', 'soon', 0],
  ])('asks for a pause in %s is left alone whole, and nobody pays for it', async (_what, value, pauseMs) => {
    const clock = new FakeClock();
    const receiver = await aReceiver(answers.inTurn(answers.status(429, { 'retry-after': value }), good));
    const { path, delivery, tell } = await openHouse([{ url: receiver.url(), timeoutMs: 1e9 }], { clock });
    await tell('call_1', 1);
    await until(() => logOf(path).length === 1 && delivery.stats.inFlight === 0);
    await tell('call_2', 1);
    if (pauseMs > 0) {
      clock.advance(pauseMs - 1_000);
      expect(delivery.stats).toMatchObject({ attempts: 1, pauses: 1 });
      clock.advance(1_000);
    } else {
      // Nobody waits but the one that was refused, for its own 30 ms.
      expect(delivery.stats).toMatchObject({ attempts: 2, pauses: 0 });
      clock.advance(100);
    }
    await until(() => statesOf(path).every((state) => state === 'delivered'));
    expect(rowsOf(path, 'select attempts from deliveries order by event_position')).toEqual([
      { attempts: 2 },
      { attempts: 1 },
    ]);
  });

  it.each<[string, Behaviour, string, string]>([
    ['says 410', answers.status(410), 'dead', 'gone'],
    [
      'asks for no more in a header',
      answers.status(200, { 'webhook-delivery': 'Disable' }),
      'delivered',
      'asked',
    ],
    ['does so in its refusal', answers.status(422, { 'webhook-delivery': 'disable' }), 'retrying', 'asked'],
  ])(
    '%s is switched off in the store, and what it is owed is held',
    async (_what, behaviour, state, reason) => {
      const receiver = await aReceiver(behaviour);
      const { path, store, tell } = await openHouse([{ url: receiver.url() }]);
      await tell('call_1', 1);
      await until(() => rowsOf(path, 'select enabled from endpoints')[0]!['enabled'] === 0);
      await tell('call_1', 2);
      expect(statesOf(path)).toEqual([state, 'pending']);
      expect(rowsOf(path, 'select disabled_reason as reason from endpoints')).toEqual([{ reason }]);
      expect(await store.outbox.unfinished({ position: 0, id: '' }, 10)).toEqual([]);
      expect(receiver.received).toHaveLength(1);
    },
  );

  it.each([
    ['is over', makeCertificate('hook.example', '210101000000Z')],
    ["is another's", makeCertificate('other.example')],
  ])('shows a certificate that %s is told nothing', async (_what, tls) => {
    const receiver = await aReceiver(good, { tls });
    const url = `https://hook.example:${receiver.port}/hook`;
    const { path, tell } = await openHouse([{ url, retryDelaysMs: [] }], { ca: tls.cert });
    await tell('call_1', 1);
    await until(() => statesOf(path)[0] === 'dead');
    expect(logOf(path)).toEqual([{ class: 'tls_error', status: null }]);
    expect(receiver.received).toHaveLength(0);
  });

  it('may not be reached is refused for good, loudly', async () => {
    const { path, delivery, tell } = await openHouse([{ url: 'http://169.254.169.254/latest/meta-data' }]);
    await tell('call_1', 1);
    await until(() => statesOf(path)[0] === 'dead');
    expect(logOf(path)).toEqual([{ class: 'blocked', status: null }]);
    expect(delivery.stats.blockedAttempts).toBe(1);
  });
});

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
  closing.push(async () => server.close());
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
    const receiver = await aReceiver(good);
    const plain = { retryDelaysMs: [], timeoutMs: patienceMs };
    const names = Array.from({ length: dead }, (_, index) => ({
      url: `http://dead-${index}.test/`,
      ...plain,
    }));
    const well = { url: `http://well.test:${receiver.port}/`, ...plain };
    const wire = { resolver, connectTimeoutMs: patienceMs };
    const { path, delivery, tell } = await openHouse([...names, well], wire);
    for (let sequence = 1; sequence <= 5; sequence++) await tell('call_1', sequence);
    await until(() => logOf(path).length === 5, 20_000);
    // All is told to the one that is well while every one of the dead still waits for its name.
    expect(sequencesOf(receiver)).toEqual([1, 2, 3, 4, 5]);
    expect(delivery.stats.inFlight).toBe(dead);
    server.denyOthers();
    await until(() => logOf(path).filter((row) => row['class'] === 'dns_error').length >= dead, 30_000);
  }, 60_000);
});
