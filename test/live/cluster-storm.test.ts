import { afterEach, describe, expect, it } from 'vitest';
import { randomRatio } from '../../src/base/clock.ts';
import type { Envelope } from '../../src/events/envelope.ts';
import { FakeClock } from '../fakes/clock.ts';
import { RedisServer } from '../fakes/redis/server.ts';
import {
  clusterSettings,
  expectWhole,
  freshDatabase,
  hooksOf,
  nativeUrl,
  Opened,
  peerUrl,
  recordOf,
  registryOf,
  RESUMING,
  untilCompleted,
  untilFound,
} from './cluster-scene.ts';
import type { HookReceiver } from './hooks.ts';
import { House, until } from './house.ts';
import { NativeCaller } from './native-caller.ts';

const LONG = process.env['OMNIVOICE_TEST_LONG'] !== undefined;
const SEED = Number(process.env['OMNIVOICE_TEST_SEED'] ?? 1);
const LEGS = Number(process.env['OMNIVOICE_TEST_LEGS'] ?? 600);
const DIALLED_AT_ONCE = 20;
/** As clients of the house do: never all in the same moment. */
const JITTER_MS = 100;
/** The sockets of all of them end in this one process, which has to hear of each. */
const BACK_WITHIN_MS = 60_000;

/** A machine that is busy refuses nobody for it. */
const STORM = { RESUME_WINDOW_MS: String(BACK_WITHIN_MS), LOOP_BUSY_MAX_RATIO: '0' };

const opened = new Opened();
const own: Opened['own'] = (one) => opened.own(one);

afterEach(() => opened.close());

/** Two hosts with one node each, one Redis and one database; hooks of both. */
async function openHosts(settings: { readonly [name: string]: string } = {}) {
  const DATABASE_URL = await freshDatabase(opened);
  const redis = own(await RedisServer.open());
  const shared = { ...clusterSettings(redis), ...RESUMING, ...settings, DATABASE_URL };
  const first = own(await House.open(shared));
  const second = own(await House.open({ ...shared, PEER_URL: peerUrl() }));
  return { first, second, redis, shared, hooks: await hooksOf(first, opened) };
}

async function dialAll(url: string, legs: number): Promise<NativeCaller[]> {
  const callers: NativeCaller[] = [];
  while (callers.length < legs) {
    const some = Math.min(DIALLED_AT_ONCE, legs - callers.length);
    callers.push(...(await Promise.all(Array.from({ length: some }, () => NativeCaller.dial(url)))));
  }
  return callers;
}

/** A call of which no snapshot is saved yet cannot be gone on with. */
async function untilSaved(redis: RedisServer, callers: readonly NativeCaller[]): Promise<void> {
  const registry = own(registryOf(redis));
  for (const { callId } of callers) {
    await untilFound(
      'a snapshot',
      () => recordOf(registry, callId),
      (found) =>
        typeof found === 'object' && found !== null && 'sequence' in found && Number(found.sequence) > 0,
    );
  }
}

function byCall(hooks: HookReceiver): Map<string, Envelope[]> {
  const told = new Map<string, Map<string, Envelope>>();
  for (const { envelope } of hooks.received) {
    const events = told.get(envelope.resource.id) ?? new Map<string, Envelope>();
    told.set(envelope.resource.id, events);
    if (!events.has(envelope.id)) events.set(envelope.id, envelope);
  }
  return new Map([...told].map(([callId, events]) => [callId, [...events.values()]]));
}

function figuresOf(durationsMs: readonly number[]): string {
  const sorted = durationsMs.toSorted((a, b) => a - b);
  const at = (ratio: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(ratio * sorted.length))] ?? Number.NaN);
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, max ${at(1)} ms`;
}

describe.runIf(LONG)('a host with all its legs', () => {
  it('is lost, and every leg comes back to its call', { timeout: 600_000 }, async () => {
    const { first, hooks, redis } = await openHosts(STORM);
    const dice = new FakeClock({ seed: SEED });
    const callers = await dialAll(await nativeUrl(first), LEGS);
    for (const caller of callers) caller.comesBackAfterMs = Math.ceil(randomRatio(dice) * JITTER_MS);
    await untilSaved(redis, callers);
    first.killHost();
    const killedAtMs = performance.now();
    await until('all to be back', () => callers.every((c) => c.resumedTimes() > 0), BACK_WITHIN_MS);
    const backMs = callers.map(({ resumedAtMs }) => (resumedAtMs[0] ?? Number.NaN) - killedAtMs);
    const refusals = callers.reduce((sum, caller) => sum + caller.refusals.length, 0);
    console.log(`seed ${SEED}: ${LEGS} legs back: ${figuresOf(backMs)}; ${refusals} refusals on the way`);
    expect(callers.map((caller) => caller.resumedTimes())).toEqual(callers.map(() => 1));
    for (const caller of callers) caller.hangUp();
    const isCompleted = (): boolean =>
      hooks.received.filter(({ envelope }) => envelope.type === 'call_completed').length >= LEGS;
    await until('all to be told', isCompleted, BACK_WITHIN_MS);
    const told = byCall(hooks);
    for (const { callId } of callers) expectWhole(told.get(callId) ?? []);
  });
});

describe.runIf(LONG)('a call of a lost host that Redis has forgotten with its data', () => {
  it('is ended once by the other host, and stays so when its own returns', { timeout: 300_000 }, async () => {
    const { first, hooks, redis, shared } = await openHosts();
    const caller = await NativeCaller.dial(await nativeUrl(first));
    const { callId } = caller;
    await untilSaved(redis, [caller]);
    // What its host alone has heard of nobody else can end.
    const isTold = (): boolean => hooks.firstArrivals(callId).some(({ type }) => type === 'leg_connected');
    await until('the journal to have it', isTold);
    first.killHost();
    caller.hangUp();
    await redis.kill();
    await redis.start();
    await until(
      'its end',
      () => hooks.firstArrivals(callId).some(({ type }) => type === 'call_completed'),
      120_000,
    );
    expectWhole(hooks.firstArrivals(callId), 0);
    const ended = hooks.firstArrivals(callId).find(({ type }) => type === 'call_ended');
    expect(ended?.data).toMatchObject({ reason: 'node_lost' });
    const back = own(await House.open({ ...shared, PEER_URL: peerUrl(), DATA_DIR: first.dataDir }));
    // What it tells of a later call comes after whatever its old spool holds.
    const later = await NativeCaller.dial(await nativeUrl(back));
    later.hangUp();
    await untilCompleted(hooks, later.callId);
    expectWhole(hooks.firstArrivals(callId), 0);
  });
});
