import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Cluster } from '../../src/client/cluster-shapes.ts';
import { RedisServer } from '../fakes/redis/server.ts';
import { freeRun, House } from './house.ts';
import { connect, place, placeMany, portsOf, type Placed } from './placed-caller.ts';

// However loaded the machine is: what is late is not replaced, and takes what is placed on it.
const UNLOADED = { LOOP_DELAY_MAX_MS: '0', LOOP_BUSY_MAX_RATIO: '0', WATCHDOG_MS: '0' };
const IS_LONG = process.env['OMNIVOICE_TEST_LONG'] !== undefined;

const opened: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

function own<T extends { close(): Promise<void> | void }>(one: T): T {
  opened.push(one);
  return one;
}

const clusterOf = (house: House): Promise<Cluster> => house.api<Cluster>('GET', '/cluster');

/** Legs of each node, by its number, as the registry has them. */
async function legsOf(house: House): Promise<number[]> {
  const { nodes } = await clusterOf(house);
  return nodes.toSorted((one, other) => one.node - other.node).map(({ legs }) => legs);
}

/** Looks at the cluster until it is as expected, and answers it. */
async function untilSeen(house: House, what: string, isSeen: (seen: Cluster) => boolean): Promise<Cluster> {
  const startedAtMs = performance.now();
  for (;;) {
    const seen = await clusterOf(house);
    if (isSeen(seen)) return seen;
    if (performance.now() - startedAtMs > 15_000) throw new Error(`${what}: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const legsSeen = (house: House, legs: number): Promise<Cluster> =>
  untilSeen(house, `${legs} legs`, ({ nodes }) => nodes.reduce((sum, node) => sum + node.legs, 0) === legs);

async function credentialUrl(house: House): Promise<URL> {
  const wish = { dialect: 'native', agent_id: 'silent' };
  return new URL((await house.api<{ url: string }>('POST', '/voice/stream-credentials', wish)).url);
}

/** As many calls as told for each node, at its own port: what was there before anybody placed. */
async function preload(house: House, counts: readonly number[]): Promise<void> {
  const url = await credentialUrl(house);
  const shared = Number(url.port);
  for (const [node, count] of counts.entries()) {
    url.port = String(shared + 1 + node);
    for (let i = 0; i < count; i++) await connect(url.href);
  }
  await legsSeen(
    house,
    counts.reduce((sum, count) => sum + count, 0),
  );
}

const inOf = (placed: readonly Placed[]): number => placed.filter(({ type }) => type === 'in').length;

function expectRefused(placed: readonly Placed[]): void {
  for (const one of placed) {
    if (one.type === 'in') continue;
    // One that was overtaken between its upgrade and its start is closed with the code of the same fault.
    if (one.by === 'node' && one.status === 4503) continue;
    expect(one).toMatchObject({ status: 503, retryAfter: '1' });
  }
}

/** Ports of the streams that Twilio is told for a call, in their order. */
async function streamPortsOf(house: House): Promise<string[]> {
  const wish = { dialect: 'twilio', agent_id: 'silent' };
  const made = await house.api<{ credential: string }>('POST', '/voice/stream-credentials', wish);
  const url = `${house.ready.api_url}/api/v1/voice/answer/twilio/${made.credential}`;
  const form = new URLSearchParams({ CallSid: 'CA1', From: '+15550100', To: '+15550199' });
  const document = await (await fetch(url, { method: 'POST', body: form })).text();
  return [...document.matchAll(/<Stream url="([^"]+)"/g)].map(([, stream = '']) => new URL(stream).port);
}

function clusterSettings(redis: RedisServer): { readonly [name: string]: string } {
  return {
    ...UNLOADED,
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    PEER_SECRET: randomBytes(32).toString('hex'),
    SIGNING_SECRET: randomBytes(32).toString('hex'),
    ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}`,
  };
}

async function countedRefusals(house: House): Promise<number> {
  const metrics = await (await fetch(`${house.ready.api_url}/metrics`)).text();
  const lines = metrics.matchAll(/^omnivoice_admission_refused_total\{[^}]*reason="legs"[^}]*\} (\d+)$/gm);
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('two nodes with room for a few calls', () => {
  it('are levelled by the addresses that sessions hand out, and admit exactly as many as they may', async () => {
    const cap = IS_LONG ? 50 : 5;
    const house = own(await House.open({ MEDIA_NODES: '2', NODE_CAP_LEGS: String(cap), ...UNLOADED }));
    // Of nodes that no registry has told of yet their links tell.
    await untilSeen(house, 'two nodes that beat', ({ nodes }) => {
      return (
        nodes.filter(({ state, beat_age_ms }) => state === 'serving' && beat_age_ms !== null).length === 2
      );
    });
    await preload(house, [2, 0]);
    const first = await placeMany(4, 20, () => place(house));
    expect(inOf(first)).toBe(4);
    expect((await legsSeen(house, 6)).regions).toMatchObject([{ state: 'healthy', legs: 6 }]);
    expect(await legsOf(house)).toEqual([3, 3]);
    expect(new Set(await streamPortsOf(house)).size).toBe(2);
    const rest = await placeMany(3 * cap - 6, 20, () => place(house));
    expect(inOf(rest)).toBe(2 * cap - 6);
    expectRefused(rest);
    const { regions } = await legsSeen(house, 2 * cap);
    expect(regions).toMatchObject([{ state: 'full', legs: 2 * cap, capacity_legs: 2 * cap }]);
    expect(await legsOf(house)).toEqual([cap, cap]);
    expect((await place(house)).type).toBe('refused');
    const url = await credentialUrl(house);
    url.port = String(Number(url.port) + 1);
    expect(await connect(url.href)).toEqual({ type: 'refused', by: 'node', status: 503, retryAfter: '1' });
    expect(await countedRefusals(house)).toBeGreaterThan(0);
  }, 60_000);
});

describe('two regions that see each other', () => {
  it('place calls in the one wished for, and in the neighbour when nobody is left at home', async () => {
    const redis = own(await RedisServer.open());
    const folder = mkdtempSync(join(tmpdir(), 'omnivoice-regions-'));
    own({ close: () => rmSync(folder, { recursive: true }) });
    for (const [name, other, lat] of [
      ['north', 'south', 60],
      ['south', 'north', 50],
    ] as const) {
      const url = `redis://127.0.0.1:${redis.port}`;
      const region = { name, address: null, lat, lon: 10, neighbours: [other], redis: url, limits: {} };
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(region));
    }
    const shared = { ...clusterSettings(redis), REGIONS_DIR: folder };
    const openIn = async (REGION: string): Promise<House> =>
      own(await House.open({ ...shared, REGION, PEER_URL: `tls://127.0.0.1:${await freeRun(1)}` }));
    const [north, south] = await Promise.all([openIn('north'), openIn('south')]);
    const isWell = ({ regions }: Cluster): boolean => regions.every(({ state }) => state === 'healthy');
    const seen = await untilSeen(north, 'two regions', isWell);
    expect(seen).toMatchObject({ region: 'north', registry: { kind: 'redis', state: 'seen' } });
    expect(seen.regions).toMatchObject([
      { name: 'north', is_own: true, distance_km: 0, nodes_fit: 1 },
      { name: 'south', is_own: false, distance_km: 1_112, nodes_fit: 1 },
    ]);
    const portAt = (house: House): string => String(Number(new URL(house.ready.media_url).port) + 1);
    expect(await place(north)).toMatchObject({ type: 'in', port: portAt(north) });
    expect(await place(north, { region: 'south' })).toMatchObject({ type: 'in', port: portAt(south) });
    await untilSeen(north, 'a call in the south', ({ nodes }) =>
      nodes.some(({ region, calls }) => region === 'south' && calls === 1),
    );
    const stopped = north.pidOf('node-0');
    process.kill(stopped, 'SIGSTOP');
    try {
      await untilSeen(north, 'nobody fit at home', ({ regions }) => regions[0]?.nodes_fit === 0);
      expect(await place(north)).toMatchObject({ type: 'in', port: portAt(south) });
    } finally {
      process.kill(stopped, 'SIGCONT');
    }
    expect((await clusterOf(north)).control.placements.placed_abroad).toBe(1);
  }, 60_000);
});

describe.runIf(IS_LONG)('a host whose Redis is gone', () => {
  it('places calls on whom it saw, then on its own nodes, and on the cluster when Redis is back', async () => {
    const redis = own(await RedisServer.open());
    const peers = `tls://127.0.0.1:${await freeRun(2)}`;
    const house = own(await House.open({ ...clusterSettings(redis), MEDIA_NODES: '2', PEER_URL: peers }));
    await untilSeen(house, 'two nodes', ({ regions }) => regions[0]?.nodes_fit === 2);
    await redis.kill();
    expect((await place(house)).type).toBe('in');
    await untilSeen(house, 'Redis to be missed', ({ registry }) => registry.state === 'away');
    expect((await clusterOf(house)).control.placing_on).toBe('host');
    expect(portsOf(await placeMany(6, 20, () => place(house))).size).toBe(2);
    await redis.start();
    const isBack = ({ registry, control }: Cluster): boolean =>
      registry.state === 'seen' && control.placing_on === 'cluster';
    await untilSeen(house, 'Redis to be back', isBack);
    expect((await place(house)).type).toBe('in');
    await legsSeen(house, 8);
  }, 60_000);
});

describe.runIf(IS_LONG)('four nodes of unequal load', () => {
  it('are levelled within 10 % by two hundred calls; an address they share falls as the kernel likes', async () => {
    const house = own(
      await House.open({ MEDIA_NODES: '4', MEDIA_PORT: String(await freeRun(5)), ...UNLOADED }),
    );
    await untilSeen(house, 'four nodes', ({ regions }) => regions[0]?.nodes_fit === 4);
    await preload(house, [0, 10, 20, 30]);
    const placed = await placeMany(200, 20, () => place(house));
    expect(inOf(placed)).toBe(200);
    await legsSeen(house, 260);
    const legs = await legsOf(house);
    console.log(`placed: ${legs.join(', ')} legs`);
    expect(Math.max(...legs) / Math.min(...legs)).toBeLessThan(1.1);
    const url = await credentialUrl(house);
    const fallen = await placeMany(200, 20, () => connect(url.href));
    expect([inOf(fallen), portsOf(fallen).size]).toEqual([200, 1]);
    await legsSeen(house, 460);
    const after = await legsOf(house);
    console.log(`by the shared address: ${after.map((count, node) => count - legs[node]!).join(', ')} calls`);
  }, 120_000);
});
