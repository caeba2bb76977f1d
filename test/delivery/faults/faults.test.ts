import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../fakes/clock.ts';
import { makeCertificate } from '../../fakes/gateway-certificate.ts';
import { answers, HookReceiver, type Behaviour } from '../../fakes/hook-receiver.ts';
import { until } from '../../fakes/until.ts';
import { rowsOf } from '../../store/temp-store.ts';
import { aReceiver, logOf, openHouse, sequencesOf, statesOf } from './open-house.ts';

const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024));
const good = answers.status(200);

const attemptsOf = (path: string) =>
  rowsOf(path, 'select attempts from deliveries order by event_position').map(({ attempts }) => attempts);

/** Real sockets at virtual time: one event was refused with a 429 and this `Retry-After`, the next are taken. */
async function openPausing(retryAfter: string) {
  const clock = new FakeClock();
  const receiver = await aReceiver(answers.inTurn(answers.status(429, { 'retry-after': retryAfter }), good));
  const house = await openHouse([{ url: receiver.url(), timeoutMs: 1e9 }], { clock });
  await house.tell('call_1', 1);
  await until(() => logOf(house.path).length === 1 && house.delivery.stats.inFlight === 0);
  return { clock, ...house };
}

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
    ['seconds', '60'],
    ['a date', new Date(new FakeClock().unixMs() + 60_000).toUTCString()],
  ])('asks for a pause in %s is left alone whole, and nobody pays for it', async (_what, value) => {
    const { clock, path, delivery, tell } = await openPausing(value);
    await tell('call_2', 1);
    clock.advance(59_000);
    expect(delivery.stats).toMatchObject({ attempts: 1, pauses: 1 });
    clock.advance(1_000);
    await until(() => statesOf(path).every((state) => state === 'delivered'));
    expect(attemptsOf(path)).toEqual([2, 1]);
  });

  it('asks for a pause in nonsense makes nobody wait but what it refused', async () => {
    const { clock, path, delivery, tell } = await openPausing('soon');
    await tell('call_2', 1);
    expect(delivery.stats).toMatchObject({ attempts: 2, pauses: 0 });
    clock.advance(100);
    await until(() => statesOf(path).every((state) => state === 'delivered'));
    expect(attemptsOf(path)).toEqual([2, 1]);
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
