import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { seededDice, systemClock } from '../../../src/base/clock.ts';
import { openStore } from '../../../src/store/store.ts';
import { HookReceiver } from '../../fakes/hook-receiver.ts';
import { until } from '../../fakes/until.ts';
import type { Cluster } from '../../fakes/postgres/cluster.ts';
import {
  createDatabase,
  dropDatabase,
  freshName,
  queried,
  sharedCluster,
} from '../../fakes/postgres/databases.ts';
import { endpointOf, TEST_KEYS } from '../../store/samples.ts';
import { atTheEnd } from '../../store/temp-store.ts';
import { firstArrivals, FleetControl } from './fleet-controls.ts';

const SEEDS = process.env['OMNIVOICE_TEST_LONG'] === undefined ? 1 : 20;
const FIRST_SEED = Number(process.env['OMNIVOICE_TEST_SEED'] ?? 1);
const ARRIVES_WITHIN_MS = 30_000;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await sharedCluster();
});

/** A database with one endpoint, whose receiver answers after `answerMs`. */
async function open(answerMs: number): Promise<{ readonly url: string; readonly receiver: HookReceiver }> {
  const name = freshName();
  atTheEnd(() => dropDatabase(cluster, name));
  const url = await createDatabase(cluster, name);
  const receiver = await HookReceiver.open((response) => {
    setTimeout(() => response.writeHead(200).end(), answerMs);
  });
  atTheEnd(() => receiver.close());
  const store = await openStore({
    path: '',
    databaseUrl: url,
    clock: systemClock,
    encryptionKeys: TEST_KEYS,
  });
  const quick = { retryDelaysMs: Array<number>(50).fill(100), timeoutMs: 2_000 };
  await store.endpoints.create(endpointOf('whk_1', { url: receiver.url(), ...quick }));
  await store.close();
  return { url, receiver };
}

/** Calls that go on at any process, as calls do that move. */
class Calls {
  readonly told = new Map<string, number>();
  readonly #random: () => number;

  constructor(random: () => number, count: number) {
    this.#random = random;
    for (let call = 1; call <= count; call++) this.told.set(`call_${call}`, 0);
  }

  /** A few more events of each, each call's by one of `controls`. */
  async goOn(controls: readonly FleetControl[]): Promise<void> {
    for (const [call, last] of this.told) {
      const count = 1 + Math.floor(this.#random() * 3);
      const control = controls[Math.floor(this.#random() * controls.length)]!;
      await control.tell(call, last + 1, count);
      this.told.set(call, last + count);
    }
  }

  /** Every event that was told, by call, in the order in which it was. */
  get inOrder(): Readonly<Record<string, readonly number[]>> {
    const sequences = (last: number): readonly number[] => Array.from({ length: last }, (_, n) => n + 1);
    return Object.fromEntries([...this.told].map(([call, last]) => [call, sequences(last)]));
  }

  /** What arrived first of each call, once as much has arrived as was told. */
  async arrived(receiver: HookReceiver): Promise<Readonly<Record<string, readonly number[]>>> {
    const total = [...this.told.values()].reduce((sum, last) => sum + last, 0);
    const isAll = (): boolean => [...firstArrivals(receiver).values()].flat().length >= total;
    await until(isAll, 'all that was told arrives', ARRIVES_WITHIN_MS);
    return Object.fromEntries(firstArrivals(receiver));
  }
}

describe('control processes on one database', () => {
  it('deliver every event in the order of its call, while they are killed, stopped, and join', async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const random = seededDice(seed);
      const { url, receiver } = await open(3);
      const calls = new Calls(random, 24);
      const one = await FleetControl.start(url);
      const two = await FleetControl.start(url);
      try {
        await calls.goOn([one, two]);
        await calls.goOn([one, two]);
        // In the middle of what it delivers.
        await pause(random() * 60);
        await one.kill();
        await calls.goOn([two]);
        const three = await FleetControl.start(url);
        await calls.goOn([two, three]);
        expect(await calls.arrived(receiver)).toEqual(calls.inOrder);
        const stopping = [calls.goOn([three]), pause(random() * 60).then(() => two.stop())];
        await Promise.all(stopping);
        await calls.goOn([three]);
        await pause(6_000);
        // What it held was delivered by the other one.
        expect(await calls.arrived(receiver)).toEqual(calls.inOrder);
        two.goOn();
        const four = await FleetControl.start(url);
        await calls.goOn([two, three, four]);
        await four.leave();
        await calls.goOn([two, three]);
        expect(await calls.arrived(receiver)).toEqual(calls.inOrder);
        await Promise.all([two.kill(), three.kill()]);
      } catch (error) {
        throw new Error(`seed ${seed}: OMNIVOICE_TEST_SEED=${seed} shows it again`, { cause: error });
      }
    }
  }, 1_200_000);

  it('share the partitions, and tell a reader at any of them all events in order', async () => {
    const { url, receiver } = await open(0);
    const [one, two] = [await FleetControl.start(url), await FleetControl.start(url)];
    await one.stream();
    await two.stream();
    const calls = new Calls(seededDice(4), 10);
    await calls.goOn([one, two]);
    await calls.goOn([one, two]);
    const last = [...calls.told.values()].reduce((sum, count) => sum + count, 0);
    const all = Array.from({ length: last }, (_, index) => index + 1);
    await until(() => one.heard.length >= last && two.heard.length >= last);
    expect([one.heard, two.heard]).toEqual([all, all]);
    // It comes back at another one, and goes on where it was.
    const { cursor } = one;
    await one.kill();
    await calls.goOn([two]);
    const three = await FleetControl.start(url);
    await three.stream(cursor);
    const now = [...calls.told.values()].reduce((sum, count) => sum + count, 0);
    await until(() => three.heard.length >= now - last);
    expect(three.heard).toEqual(Array.from({ length: now - last }, (_, index) => last + index + 1));
    expect(await calls.arrived(receiver)).toEqual(calls.inOrder);
  }, 60_000);

  it('send again what any of them was asked for, whoever delivers it', async () => {
    const { url, receiver } = await open(0);
    const [one, two] = [await FleetControl.start(url), await FleetControl.start(url)];
    await settled(async () => expect([await one.holding(), await two.holding()]).toEqual([32, 32]));
    const calls = new Calls(seededDice(6), 8);
    await calls.goOn([one, two]);
    await calls.arrived(receiver);
    const paid = async (): Promise<void> =>
      expect(await queried(url, "select id from deliveries where state <> 'delivered'")).toEqual([]);
    await settled(paid);
    const sent = await queried(url, 'select id from deliveries order by event_position');
    for (const { id } of sent) await one.replay(id as string);
    // Well before anybody sweeps.
    await until(() => receiver.received.length >= 2 * sent.length, 'everything arrives once more', 10_000);
    await settled(paid);
    expect(receiver.received).toHaveLength(2 * sent.length);
  }, 60_000);

  it('hold half of the partitions each, and all of them again when the other one leaves', async () => {
    const { url } = await open(0);
    const [one, two] = [await FleetControl.start(url), await FleetControl.start(url)];
    await settled(async () => expect([await one.holding(), await two.holding()]).toEqual([32, 32]));
    await two.leave();
    await settled(async () => expect(await one.holding()).toBe(64));
  }, 60_000);
});

/** Looks again until it is so, and fails as the last look did. */
async function settled(look: () => Promise<void>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      return await look();
    } catch {
      await pause(50);
    }
  }
  await look();
}
