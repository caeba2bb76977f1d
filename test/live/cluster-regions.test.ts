import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
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
  untilFound,
} from './cluster-scene.ts';
import { freeRun, House, until } from './house.ts';
import { NativeCaller } from './native-caller.ts';
import { NumberedSpeech } from './numbered-speech.ts';

const LONG = process.env['OMNIVOICE_TEST_LONG'] !== undefined;
const CALLS = 12;

const opened = new Opened();
const own: Opened['own'] = (one) => opened.own(one);

afterEach(() => opened.close());

interface Place {
  readonly name: string;
  readonly mediaPort: number;
  readonly redis: RedisServer;
}

/** A file for each region, which names the other one. */
function writeRegions(places: readonly Place[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'omnivoice-regions-'));
  own({ close: () => rmSync(folder, { recursive: true, force: true }) });
  for (const { name, mediaPort, redis } of places) {
    const region = {
      name,
      address: 'http://127.0.0.1:9',
      wss: `ws://127.0.0.1:${mediaPort}`,
      neighbours: places.flatMap((other) => (other.name === name ? [] : [other.name])),
      redis: `redis://127.0.0.1:${redis.port}`,
      limits: {},
    };
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(region));
  }
  return folder;
}

describe.runIf(LONG)('a region that is lost with its Redis', () => {
  it('leaves its calls to its neighbour, which had copies', { timeout: 90_000 }, async () => {
    const DATABASE_URL = await freshDatabase(opened);
    const places: Place[] = [];
    for (const name of ['north', 'south']) {
      places.push({ name, mediaPort: await freeRun(8), redis: own(await RedisServer.open()) });
    }
    const [north, south] = places;
    const shared = { ...clusterSettings(north!.redis), ...RESUMING, DATABASE_URL };
    const regionsDir = writeRegions(places);
    const openAt = async ({ name, mediaPort, redis }: Place): Promise<House> =>
      own(
        await House.open({
          ...shared,
          REGION: name,
          REGIONS_DIR: regionsDir,
          MEDIA_PORT: String(mediaPort),
          REDIS_URL: `redis://127.0.0.1:${redis.port}`,
          PEER_URL: peerUrl(),
        }),
      );
    const lost = await openAt(north!);
    const left = await openAt(south!);
    const hooks = await hooksOf(left, opened);
    const url = await nativeUrl(lost);
    const callers = await Promise.all(Array.from({ length: CALLS }, () => NativeCaller.dial(url)));
    const speeches = callers.map((caller) => new NumberedSpeech(caller));
    const copies = own(registryOf(south!.redis, 'south'));
    const tokens = new Map<string, number>();
    for (const { callId } of callers) {
      await untilFound(
        'a copy',
        async () => {
          const found = await recordOf(copies, callId);
          if (typeof found === 'object' && found.state === 'live') tokens.set(callId, found.token);
          return tokens.has(callId);
        },
        (isThere) => isThere === true,
      );
    }
    await until('all to be heard', () => speeches.every(({ heard }) => heard.length > 25));
    lost.killHost();
    await north!.redis.kill();
    await until('all to be back', () => callers.every((caller) => caller.resumedTimes() === 1), 20_000);
    const heardBefore = speeches.map(({ heard }) => heard.length);
    await until('all to be heard again', () =>
      speeches.every(({ heard }, i) => heard.length > (heardBefore[i] ?? 0) + 25),
    );
    const gaps = speeches.map(({ largestGapMs }) => Math.round(largestGapMs)).toSorted((a, b) => a - b);
    console.log(`a region lost: ${CALLS} calls, gaps ${gaps[0]} to ${gaps.at(-1)} ms`);
    for (const { callId } of callers) {
      expect(await recordOf(copies, callId)).toMatchObject({ state: 'live' });
      const found = await recordOf(copies, callId);
      const token = typeof found === 'object' && found.state === 'live' ? found.token : 0;
      expect(token).toBeGreaterThan(tokens.get(callId) ?? 0);
    }
    for (const caller of callers) caller.hangUp();
    for (const { callId } of callers) {
      await until(
        'its end',
        () => hooks.firstArrivals(callId).some(({ type }) => type === 'call_completed'),
        30_000,
      );
      expectWhole(hooks.firstArrivals(callId));
    }
    expect(speeches.map(({ doubledFrames }) => doubledFrames)).toEqual(callers.map(() => 0));
  });
});
