import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { openRedisRegistry } from '../../src/cluster/redis/open-redis.ts';
import { SentinelTrio } from '../fakes/redis/sentinel-trio.ts';
import {
  clusterSettings,
  expectWhole,
  figureOf,
  hooksOf,
  nativeUrl,
  nodeOf,
  Opened,
  recordOf,
  RESUMING,
  untilCompleted,
  untilFound,
} from './cluster-scene.ts';
import { House, until } from './house.ts';
import { NativeCaller } from './native-caller.ts';
import { NumberedSpeech } from './numbered-speech.ts';

const LONG = process.env['OMNIVOICE_TEST_LONG'] !== undefined;
const CALLS = 4;

const opened = new Opened();
const own: Opened['own'] = (one) => opened.own(one);

afterEach(() => opened.close());

describe.runIf(LONG)('a Redis whose master is killed under three sentinels', () => {
  it(
    'is followed to its replica: no call hears of it, and calls can move again',
    { timeout: 90_000 },
    async () => {
      const redis = own(await SentinelTrio.open());
      const settings = { ...clusterSettings({ port: 0 }), ...RESUMING, REDIS_URL: redis.url };
      const house = own(await House.open({ ...settings, MEDIA_NODES: '2' }));
      const hooks = await hooksOf(house, opened);
      const log = { warn: () => {} };
      const registry = own(openRedisRegistry({ url: redis.url, region: 'local', clock: systemClock, log }));
      const url = await nativeUrl(house);
      const callers: NativeCaller[] = [];
      for (let i = 0; i < CALLS; i++) callers.push(await NativeCaller.dial(url));
      const speeches = callers.map((caller) => new NumberedSpeech(caller));
      const untilRecorded = async (): Promise<void> => {
        for (const { callId } of callers) {
          const isLive = (found: unknown): boolean =>
            typeof found === 'object' && found !== null && 'owner' in found;
          await untilFound('a record', () => recordOf(registry, callId), isLive, 20_000);
        }
      };
      await untilRecorded();
      const untilLeases = (nodes: number): Promise<void> =>
        untilFound(
          'leases',
          () => figureOf(house, 'node_lease_valid'),
          (valid) => valid === nodes,
          20_000,
        );
      await untilLeases(2);
      const missedBefore = await figureOf(house, 'node_beats_missed_total');
      await redis.killMaster();
      const killedAtMs = performance.now();
      await untilFound(
        'beats without an answer',
        () => figureOf(house, 'node_beats_missed_total'),
        (missed) => Number(missed) >= missedBefore + 2,
      );
      await untilFound(
        'a master that answers',
        () => figureOf(house, 'redis_up'),
        (up) => up === 2,
        20_000,
      );
      await untilLeases(2);
      console.log(
        `a lease again ${Math.round(performance.now() - killedAtMs)} ms after the master was killed`,
      );
      await untilRecorded();
      expect(await figureOf(house, 'takeovers_total', 'result="ok"')).toBe(0);
      expect(await figureOf(house, 'calls_surrendered_total')).toBe(0);
      expect(callers.map((caller) => caller.resumedTimes())).toEqual(callers.map(() => 0));
      expect(speeches.map(({ missingFrames, doubledFrames }) => missingFrames + doubledFrames)).toEqual(
        callers.map(() => 0),
      );
      const [first] = callers;
      const killed = nodeOf(hooks, first!.callId);
      const moving = callers.filter(({ callId }) => nodeOf(hooks, callId) === killed);
      process.kill(house.pidOf(killed), 'SIGKILL');
      await until('calls to move', () => moving.every((caller) => caller.resumedTimes() === 1), 20_000);
      for (const caller of callers) caller.hangUp();
      for (const { callId } of callers) await untilCompleted(hooks, callId);
      for (const caller of callers) {
        expectWhole(hooks.firstArrivals(caller.callId), moving.includes(caller) ? 1 : 0);
      }
    },
  );
});
