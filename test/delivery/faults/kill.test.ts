import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { HookReceiver } from '../../fakes/hook-receiver.ts';
import { until } from '../../fakes/until.ts';
import { endpointOf } from '../../store/samples.ts';
import { openTempStore, rowsOf, tempPath } from '../../store/temp-store.ts';

const CHILD = join(import.meta.dirname, 'delivering-child.ts');
const ROUNDS = process.env['OMNIVOICE_TEST_LONG'] === undefined ? 1 : 20;
const CALLS = 8;
const EVENTS = 5;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function aReceiver(path: string): Promise<HookReceiver> {
  const receiver = await HookReceiver.open();
  closing.push(() => receiver.close());
  const store = await openTempStore({ path });
  await store.endpoints.create(endpointOf('whk_1', { url: receiver.url() }));
  await store.close();
  return receiver;
}

async function life(path: string, mode: string, calls = CALLS): Promise<ChildProcess> {
  const child = spawn(process.execPath, [CHILD, path, mode, String(calls), String(EVENTS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  closing.push(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  expect((await ended)[1]).toBe('SIGKILL');
}

/** First arrivals of each id, by call, in the order they came. */
function firstArrivals({ received }: HookReceiver): ReadonlyMap<string, readonly number[]> {
  const seen = new Set<string>();
  const byCall = new Map<string, number[]>();
  for (const { headers, body } of received) {
    const id = headers['webhook-id']!;
    if (seen.has(id)) continue;
    seen.add(id);
    const { resource, sequence } = JSON.parse(body) as { resource: { id: string }; sequence: number };
    byCall.set(resource.id, [...(byCall.get(resource.id) ?? []), sequence]);
  }
  return byCall;
}

const IN_ORDER = Array.from({ length: EVENTS }, (_, index) => index + 1);
const isPaid = (path: string) => () =>
  rowsOf(path, "select count(*) as n from deliveries where state <> 'delivered'")[0]!['n'] === 0;

describe('a process killed', () => {
  it('between the journal and the sending sends it all in its next life', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const path = tempPath();
      const receiver = await aReceiver(path);
      await kill(await life(path, 'unsent'));
      expect(receiver.received).toHaveLength(0);
      const next = await life(path, 'well', 0);
      await until(isPaid(path), 'all that was owed is paid', 20_000);
      await kill(next);
      const arrived = firstArrivals(receiver);
      expect(arrived.size).toBe(CALLS);
      for (const order of arrived.values()) expect(order).toEqual(IN_ORDER);
    }
  });

  it('between an answer and its record sends that one again, under its id, and loses none', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const path = tempPath();
      const receiver = await aReceiver(path);
      const first = await life(path, 'unrecorded');
      // The heads of all calls, each answered with a 200 that nobody wrote down.
      await until(() => receiver.received.length === CALLS);
      await kill(first);
      expect(rowsOf(path, 'select count(*) as n from attempts')).toEqual([{ n: 0 }]);
      const next = await life(path, 'well', 0);
      await until(isPaid(path), 'all that was owed is paid', 20_000);
      await kill(next);
      const arrived = firstArrivals(receiver);
      expect(arrived.size).toBe(CALLS);
      for (const order of arrived.values()) expect(order).toEqual(IN_ORDER);
      const counts = Map.groupBy(receiver.received, ({ headers }) => headers['webhook-id']!);
      const twice = [...counts].filter(([, hooks]) => hooks.length === 2);
      expect(twice).toHaveLength(CALLS);
      for (const [, [a, b]] of twice) expect(a!.body).toBe(b!.body);
      expect(receiver.received).toHaveLength(CALLS * (EVENTS + 1));
    }
  });

  it('in the middle of everything, again and again, loses none and keeps the order', async () => {
    const path = tempPath();
    const receiver = await aReceiver(path);
    for (let round = 1; round <= 3 * ROUNDS; round++) {
      const { length: before } = receiver.received;
      const child = await life(path, 'well', round === 1 ? 40 : 0);
      await until(() => receiver.received.length > before + 5 || isPaid(path)());
      await kill(child);
    }
    const last = await life(path, 'well', 0);
    await until(isPaid(path), 'all that was owed is paid', 20_000);
    await kill(last);
    const arrived = firstArrivals(receiver);
    expect(arrived.size).toBe(40);
    for (const order of arrived.values()) expect(order).toEqual(IN_ORDER);
  });
}, 120_000);
