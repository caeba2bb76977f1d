import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { RedisRegistry } from '../../src/cluster/redis/redis-registry.ts';
import { RedisServer } from '../fakes/redis/server.ts';
import { TcpRelay } from '../fakes/tcp-relay.ts';
import {
  clusterSettings,
  expectWhole,
  figureOf,
  freshDatabase,
  hooksOf,
  nativeUrl,
  Opened,
  pause,
  recordOf,
  registryOf,
  RESUMING,
  untilCompleted,
  untilFound,
} from './cluster-scene.ts';
import { freeRun, House, until } from './house.ts';
import { NativeCaller } from './native-caller.ts';
import { NumberedSpeech } from './numbered-speech.ts';

const LOCAL = '127.0.0.1';

const opened = new Opened();
const own: Opened['own'] = (one) => opened.own(one);

afterEach(() => opened.close());

/** Host A reaches Redis and host B by lines that can be cut, and B reaches A by one; callers reach both. */
async function openApart() {
  const DATABASE_URL = await freshDatabase(opened);
  const redis = own(await RedisServer.open());
  const port = await freeRun(2);
  const places = { a: { host: '127.0.0.2', port }, b: { host: '127.0.0.3', port: port + 1 } };
  const lines = await Promise.all([
    TcpRelay.open({ host: LOCAL, port: 0 }, { host: LOCAL, port: redis.port }),
    TcpRelay.open(places.a, { host: LOCAL, port: places.a.port }),
    TcpRelay.open(places.b, { host: LOCAL, port: places.b.port }),
  ]);
  for (const line of lines) own(line);
  const shared = { ...clusterSettings(redis), ...RESUMING, DATABASE_URL, ACCEPT_WHEN_ISOLATED: 'false' };
  const peerUrlOf = ({ host, port }: { host: string; port: number }): string => `tls://${host}:${port}`;
  const REDIS_URL = `redis://${LOCAL}:${lines[0].port}`;
  const a = own(await House.open({ ...shared, PEER_URL: peerUrlOf(places.a), REDIS_URL }));
  const b = own(await House.open({ ...shared, PEER_URL: peerUrlOf(places.b) }));
  const hooks = await hooksOf(a, opened);
  const url = await nativeUrl(a);
  await untilFound(
    'each other’s links',
    async () => [await linksOf(a), await linksOf(b)],
    (links) => String(links) === '1,1',
  );
  return { a, b, hooks, url, lines, redis };
}

const linksOf = (house: House): Promise<number> => figureOf(house, 'peer_state', 'state="open"');

function untilLease(house: House, isValid: boolean): Promise<void> {
  return untilFound(
    'the lease',
    () => figureOf(house, 'node_lease_valid'),
    (value) => value === Number(isValid),
  );
}

/** The same credential at another host. */
function urlAt(house: House, url: string): string {
  const at = new URL(url);
  at.port = new URL(house.ready.media_url).port;
  return at.href;
}

async function refusalOf(url: string, token?: string): Promise<unknown> {
  const socket = new WebSocket(url, token === undefined ? ['omnivoice.v1'] : ['omnivoice.v1', token]);
  socket.on('error', () => {});
  return new Promise((resolve) => {
    socket.once('unexpected-response', (_request, response) =>
      resolve([response.statusCode, Number(response.headers['retry-after']) > 0]),
    );
    socket.once('open', () => resolve('open'));
  });
}

/** Whose the call is, once its record is there. */
async function ownerOf(registry: RedisRegistry, callId: string): Promise<string> {
  let owner = '';
  const look = async (): Promise<boolean> => {
    const found = await recordOf(registry, callId);
    if (typeof found === 'object' && found.state === 'live') owner = found.owner;
    return owner !== '';
  };
  await untilFound('an owner', look, (isThere) => isThere === true);
  return owner;
}

function backOf(caller: NativeCaller): { readonly token: string } {
  return caller.told.find(({ type }) => type === 'started')?.['resume'] as { readonly token: string };
}

describe('a host that is cut off from Redis and from the other host', () => {
  it('claims nothing, loses nothing, and gives up what was claimed of it', { timeout: 60_000 }, async () => {
    const { a, b, hooks, url, lines, redis } = await openApart();
    const [atA, atB] = await Promise.all([
      NativeCaller.dial(urlAt(a, url)),
      NativeCaller.dial(urlAt(b, url)),
    ]);
    const speeches = [new NumberedSpeech(atA), new NumberedSpeech(atB)];
    await until('both to be heard', () => speeches.every(({ heard }) => heard.length > 25));
    const registry = own(registryOf(redis));
    const calls = [atA, atB].map(({ callId }) => callId);
    const owners = await Promise.all(calls.map((callId) => ownerOf(registry, callId)));

    for (const line of lines) line.cut();
    await untilLease(a, false);
    // Nobody new, and nobody else's: its own go on.
    expect(await refusalOf(urlAt(a, url))).toEqual([503, true]);
    expect(await refusalOf(urlAt(a, `${b.ready.media_url}/media/native`), backOf(atB).token)).toEqual([
      503,
      true,
    ]);
    expect(await figureOf(a, 'admission_refused_total', 'reason="isolated"')).toBe(1);
    for (const line of lines) line.heal();
    await untilLease(a, true);
    const heardBefore = speeches.map(({ heard }) => heard.length);
    await until('both to be heard on', () =>
      speeches.every(({ heard }, i) => heard.length > (heardBefore[i] ?? 0) + 25),
    );
    expect(speeches.map(({ missingFrames, doubledFrames }) => [missingFrames, doubledFrames])).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect([atA, atB].map((caller) => caller.resumedTimes())).toEqual([0, 0]);
    expect(await figureOf(a, 'takeovers_total', 'result="ok"')).toBe(0);
    expect(await figureOf(b, 'takeovers_total', 'result="ok"')).toBe(0);
    expect(await Promise.all(calls.map((callId) => ownerOf(registry, callId)))).toEqual(owners);

    await untilFound(
      'the links',
      () => linksOf(a),
      (links) => links === 1,
    );
    for (const line of lines) line.cut();
    await untilLease(a, false);
    await atA.leaveSilentLine(`${b.ready.media_url}/media/native`);
    await until('its call to go on at the other host', () => atA.resumedTimes() === 1);
    for (const line of lines) line.heal();
    await until('the old line to be closed', () => atA.closeCodes.length === 1);
    expect(atA.closeCodes).toEqual([4410]);
    expect(await figureOf(a, 'calls_surrendered_total')).toBe(1);
    expect(await figureOf(b, 'takeovers_total', 'result="ok"')).toBe(1);
    expect(await figureOf(b, 'legs_resumed_total', 'cause="hang"')).toBe(1);
    expect(await figureOf(b, 'failover_gap_seconds_count', 'cause="hang"')).toBe(1);
    expect(await figureOf(b, 'redis_command_seconds_count', 'command="claim"')).toBeGreaterThan(0);
    expect(await figureOf(b, 'peer_rtt_seconds_count')).toBeGreaterThan(0);
    await pause(200);
    expect(speeches.map(({ doubledFrames }) => doubledFrames)).toEqual([0, 0]);
    for (const caller of [atA, atB]) caller.hangUp();
    await Promise.all(calls.map((callId) => untilCompleted(hooks, callId)));
    expectWhole(hooks.firstArrivals(atA.callId), 1);
    expectWhole(hooks.firstArrivals(atB.callId), 0);
  });
});
