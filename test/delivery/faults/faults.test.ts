import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { StoredEndpoint } from '../../../src/api/ports.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { openDelivery, type Delivery } from '../../../src/delivery/delivery.ts';
import { parseEgressAllow } from '../../../src/delivery/wire/guard.ts';
import { HostResolver } from '../../../src/delivery/wire/resolver.ts';
import { HttpSender } from '../../../src/delivery/wire/sender.ts';
import type { Store } from '../../../src/store/store.ts';
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
  const ca = wire.ca === undefined ? {} : { ca: wire.ca };
  const delivery = openDelivery({
    outbox: store.outbox,
    health: store.health,
    clock: systemClock,
    sender: new HttpSender({ clock: systemClock, allow, resolver, userAgent: 'Omnivoice/1', ...ca }),
    settings: { egressAllow: ['127.0.0.1'], userAgent: 'Omnivoice/1', closeGraceMs: 10 },
    observer: { hookSent: () => undefined, attemptFinished: () => undefined },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  closing.push(() => delivery.close());
  await delivery.start();
  const tell = async (callId: string, sequence: number): Promise<void> => {
    const created_at = new Date(systemClock.unixMs()).toISOString();
    const id = `evt_${callId}_${sequence}`;
    delivery.accept(await store.journal.append([eventOf(callId, sequence, { id, created_at })]));
  };
  return { path, store, delivery, tell };
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
    ['seconds', '1', 900],
    ['a date', () => new Date(Date.now() + 2_000).toUTCString(), 900],
    ['nonsense', 'soon', 0],
  ])('asks for a pause in %s is left alone whole, and nobody pays for it', async (_what, value, leastMs) => {
    const text = typeof value === 'string' ? value : value();
    const receiver = await aReceiver(answers.inTurn(answers.status(429, { 'retry-after': text }), good));
    const { path, tell } = await openHouse([{ url: receiver.url() }]);
    await tell('call_1', 1);
    await until(() => logOf(path).length === 1);
    await tell('call_2', 1);
    await until(() => statesOf(path).every((state) => state === 'delivered'), 8_000);
    const [first, second, third] = receiver.received;
    expect(second!.atMs - first!.atMs).toBeGreaterThanOrEqual(leastMs);
    expect(third!.atMs - first!.atMs).toBeGreaterThanOrEqual(leastMs);
    expect(rowsOf(path, 'select attempts from deliveries order by event_position')).toEqual([
      { attempts: 2 },
      { attempts: 1 },
    ]);
  });

  it('says 410 is switched off in the store, and what it is owed is held', async () => {
    const receiver = await aReceiver(answers.status(410));
    const { path, store, tell } = await openHouse([{ url: receiver.url() }]);
    await tell('call_1', 1);
    await until(() => rowsOf(path, 'select enabled from endpoints')[0]!['enabled'] === 0);
    await tell('call_1', 2);
    expect(statesOf(path)).toEqual(['dead', 'pending']);
    expect(rowsOf(path, 'select disabled_reason as reason from endpoints')).toEqual([{ reason: 'gone' }]);
    expect(await store.outbox.unfinished({ position: 0, id: '' }, 10)).toEqual([]);
    expect(receiver.received).toHaveLength(1);
  });

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

/** A name server that knows one name, and is silent about all others. */
async function openNameServer(known: string): Promise<UdpSocket> {
  const server = createSocket('udp4');
  server.on('message', (query, { port, address }) => {
    const name = nameIn(query);
    if (name !== known) return;
    const isA = query.readUInt16BE(query.length - 4 - additionalBytes(query)) === 1;
    const question = query.subarray(12, query.length - additionalBytes(query));
    const head = Buffer.from([query[0]!, query[1]!, 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0]);
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    server.send(Buffer.concat([head, question, ...(isA ? [answer] : [])]), port, address);
  });
  await new Promise<void>((resolve) => {
    server.bind(0, '127.0.0.1', resolve);
  });
  closing.push(async () => server.close());
  return server;
}

function nameIn(query: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; query[at] !== 0; at += query[at]! + 1) {
    labels.push(query.subarray(at + 1, at + 1 + query[at]!).toString());
  }
  return labels.join('.');
}

// EDNS (RFC 6891): c-ares adds an OPT record of 11 bytes and its options after the question.
function additionalBytes(query: Buffer): number {
  let at = 12;
  while (query[at] !== 0) at += query[at]! + 1;
  return query.length - (at + 5);
}

describe('dead names', () => {
  it('by the hundreds delay nobody whose name is well', async () => {
    const dead = process.env['OMNIVOICE_TEST_LONG'] === undefined ? 50 : 500;
    const server = await openNameServer('well.test');
    const asked = new Resolver({ timeout: 1_000, tries: 1 });
    asked.setServers([`127.0.0.1:${server.address().port}`]);
    const answered = (records: readonly { address: string; ttl: number }[]) =>
      records.map(({ address, ttl }) => ({ address, ttlS: ttl }));
    const resolver = new HostResolver(systemClock, {
      dns: {
        resolve4: async (host) => answered(await asked.resolve4(host, { ttl: true })),
        resolve6: async (host) => answered(await asked.resolve6(host, { ttl: true })),
      },
    });
    const receiver = await aReceiver(good);
    const names = Array.from({ length: dead }, (_, index) => ({
      url: `http://dead-${index}.test/`,
      retryDelaysMs: [],
      timeoutMs: 5e3,
    }));
    const well = { url: `http://well.test:${receiver.port}/`, timeoutMs: 5_000 };
    const { path, tell } = await openHouse([...names, well], { resolver });
    for (let sequence = 1; sequence <= 5; sequence++) await tell('call_1', sequence);
    await until(() => receiver.received.length === 5);
    // Not one of the dead has so much as failed by the time that all is told to the one that is well.
    expect(rowsOf(path, "select count(*) as n from attempts where error_class = 'dns_error'")).toEqual([
      { n: 0 },
    ]);
    expect(sequencesOf(receiver)).toEqual([1, 2, 3, 4, 5]);
    const failed = () =>
      Number(rowsOf(path, "select count(*) as n from attempts where error_class = 'dns_error'")[0]!['n']);
    await until(() => failed() >= dead, 20_000);
  }, 60_000);
});
