import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { openRedisRegistry } from '../../src/cluster/redis/open-redis.ts';
import type { RedisRegistry } from '../../src/cluster/redis/redis-registry.ts';
import type { Found } from '../../src/cluster/registry.ts';
import type { Envelope } from '../../src/events/envelope.ts';
import { createDatabase, dropDatabase, freshName, sharedCluster } from '../fakes/postgres/databases.ts';
import type { RedisServer } from '../fakes/redis/server.ts';
import { HookReceiver } from './hooks.ts';
import { until, type House } from './house.ts';
import { NativeCaller } from './native-caller.ts';

/** A leg that is lost may come back. */
export const RESUMING = { RESUME_WINDOW_MS: '10000' };

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What a test opened, closed in reverse. */
export class Opened {
  readonly #opened: { close(): Promise<void> | void }[] = [];

  own<T extends { close(): Promise<void> | void }>(one: T): T {
    this.#opened.push(one);
    return one;
  }

  async close(): Promise<void> {
    for (const one of this.#opened.splice(0).reverse()) await one.close();
  }
}

export function peerUrl(host = '127.0.0.1'): string {
  return `tls://${host}:${10_000 + Math.floor(Math.random() * 10_000)}`;
}

/** The URL of a database that goes with the test. */
export async function freshDatabase(
  opened: Opened,
  template?: Parameters<typeof createDatabase>[2],
): Promise<string> {
  const postgres = await sharedCluster();
  const name = freshName();
  opened.own({ close: () => dropDatabase(postgres, name) });
  return createDatabase(postgres, name, template);
}

/** What hosts of one region share, and one host's peer address. */
export function clusterSettings(redis: { readonly port: number }): { readonly [name: string]: string } {
  return {
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    PEER_URL: peerUrl(),
    PEER_SECRET: randomBytes(32).toString('hex'),
    SIGNING_SECRET: randomBytes(32).toString('hex'),
    ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}`,
  };
}

/** The registry as a node sees it. */
export function registryOf(redis: RedisServer, region = 'local'): RedisRegistry {
  const url = `redis://127.0.0.1:${redis.port}`;
  const log = { warn: () => {} };
  return openRedisRegistry({ url, region, clock: systemClock, log });
}

/** The call's record. A sweep goes through always: it closes the circuit that the first questions opened. */
export async function recordOf(registry: RedisRegistry, callId: string): Promise<Found> {
  await registry.orphans();
  return registry.find(callId);
}

/** Hooks of every event of the house. */
export async function hooksOf(house: House, opened: Opened): Promise<HookReceiver> {
  const hooks = new HookReceiver();
  await hooks.open();
  opened.own({ close: () => hooks.kill() });
  const made = await house.api<{ secret: string }>('POST', '/webhooks', { url: hooks.url, events: ['*'] });
  hooks.secret = made.secret;
  return hooks;
}

/** Where a native caller comes in who is to hear itself. */
export async function nativeUrl(house: House): Promise<string> {
  const made = await house.api<{ url: string }>('POST', '/voice/stream-credentials', {
    dialect: 'native',
    agent_id: 'echo',
  });
  return made.url;
}

/** Asks again until the answer is as expected. */
export async function untilFound(
  what: string,
  ask: () => Promise<unknown>,
  isRight: (answer: unknown) => boolean,
  withinMs = 10_000,
): Promise<void> {
  let answer: unknown;
  const look = async (): Promise<void> => void (answer = await ask());
  await look();
  for (const startedAtMs = performance.now(); !isRight(answer); await look()) {
    if (performance.now() - startedAtMs > withinMs) throw new Error(`${what}: ${JSON.stringify(answer)}`);
    await pause(20);
  }
}

/** Whoever calls there is told of another host where it can go on. */
export function untilNeighbourTold(url: string): Promise<void> {
  const told = async (): Promise<readonly string[]> => {
    const caller = await NativeCaller.dial(url);
    const started = caller.told.find(({ type }) => type === 'started');
    const { urls = [] } = (started?.['resume'] ?? {}) as { readonly urls?: readonly string[] };
    caller.hangUp();
    // Nodes hear of each other by their beats.
    await pause(80);
    return urls;
  };
  // The ports of one house are four in a row.
  const isElsewhere = (there: string): boolean => Math.abs(Number(new URL(there).port) - ownPort) > 3;
  const ownPort = Number(new URL(url).port);
  return untilFound('a neighbour', told, (urls) => (urls as readonly string[]).some(isElsewhere), 30_000);
}

/** Told from the first event to the last, without a hole and without a double, ended and completed once. */
export function expectWhole(told: readonly Envelope[], recoveries = 1): void {
  expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_, index) => index + 1));
  const types = told.map(({ type }) => type);
  expect(types.filter((type) => type === 'call_ended')).toHaveLength(1);
  expect(types.filter((type) => type === 'call_recovered')).toHaveLength(recoveries);
  expect(types.filter((type) => type === 'call_completed')).toHaveLength(1);
}

export function untilCompleted(hooks: HookReceiver, callId: string): Promise<void> {
  const isCompleted = (): boolean =>
    hooks.firstArrivals(callId).some(({ type }) => type === 'call_completed');
  return until('its end', isCompleted);
}

/** The child that owns the call, as its events name it. */
export function nodeOf(hooks: HookReceiver, callId: string): string {
  return `node-${String(hooks.firstArrivals(callId)[0]!.data['node'])}`;
}

/** What a house counts, all its nodes together: `omnivoice_<name>` with exactly that label where one is given. */
export async function figureOf(house: House, name: string, label = ''): Promise<number> {
  const answer = await fetch(`${house.ready.api_url}/metrics`, {
    headers: { authorization: `Bearer ${house.key}` },
  });
  const lines = (await answer.text()).split('\n');
  const found = lines.filter((line) => new RegExp(`^omnivoice_${name}(?:\\{|\\s)`).test(line));
  const wanted = found.filter((line) => line.includes(label));
  return wanted.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
