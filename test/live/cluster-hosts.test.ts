import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { randomRatio } from '../../src/base/clock.ts';
import { FakeClock } from '../fakes/clock.ts';
import { RedisServer } from '../fakes/redis/server.ts';
import {
  clusterSettings,
  expectWhole,
  freshDatabase,
  hooksOf,
  nativeUrl,
  Opened,
  pause,
  peerUrl,
  recordOf,
  registryOf,
  RESUMING,
  untilFound,
  untilNeighbourTold,
} from './cluster-scene.ts';
import type { HookReceiver } from './hooks.ts';
import { House, until } from './house.ts';
import { NativeCaller } from './native-caller.ts';
import { NumberedSpeech } from './numbered-speech.ts';

const LONG = process.env['OMNIVOICE_TEST_LONG'] !== undefined;
const FIRST_SEED = Number(process.env['OMNIVOICE_TEST_SEED'] ?? 1);
const seeds = Array.from({ length: LONG ? 20 : 1 }, (_, i) => FIRST_SEED + i);
const CALLS = LONG ? 60 : 12;

const opened = new Opened();
const own: Opened['own'] = (one) => opened.own(one);

afterEach(() => opened.close());

/** Two hosts with one node each, one Redis and one database; hooks of both. */
async function openHosts(): Promise<{
  first: House;
  second: House;
  hooks: HookReceiver;
  redis: RedisServer;
}> {
  const DATABASE_URL = await freshDatabase(opened);
  const redis = own(await RedisServer.open());
  const shared = { ...clusterSettings(redis), ...RESUMING, DATABASE_URL };
  const first = own(await House.open(shared));
  const second = own(await House.open({ ...shared, PEER_URL: peerUrl() }));
  return { first, second, hooks: await hooksOf(first, opened), redis };
}

/** How a late comer is answered: by HTTP status, or by close code. */
function answerTo(url: string, token: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, ['omnivoice.v1', token]);
    socket.on('error', () => {});
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    socket.once('open', () => socket.send(JSON.stringify({ type: 'resume', token })));
    socket.once('close', resolve);
  });
}

function backOf(caller: NativeCaller): { readonly token: string } {
  const words = caller.told.findLast(({ type }) => type === 'resumed' || type === 'started');
  return words?.['resume'] as { readonly token: string };
}

describe('a host that loses its power', () => {
  it.each(seeds)(
    'leaves all its calls to the other one at once, whole, and what ended stays ended: seed %i',
    { timeout: 120_000 },
    async (seed) => {
      const { first, second, hooks, redis } = await openHosts();
      const url = await nativeUrl(first);
      await untilNeighbourTold(url);
      const callers = await Promise.all(Array.from({ length: CALLS }, () => NativeCaller.dial(url)));
      const speeches = callers.map((caller) => new NumberedSpeech(caller));
      await until('all to be heard', () => speeches.every(({ heard }) => heard.length > 10));
      const registry = own(registryOf(redis));
      for (const { callId } of callers) {
        // A call of which no snapshot is saved yet cannot be gone on with.
        await untilFound(
          'a snapshot',
          () => recordOf(registry, callId),
          (found) =>
            typeof found === 'object' && found !== null && 'sequence' in found && Number(found.sequence) > 0,
        );
      }
      const killedAfterMs = Math.floor(randomRatio(new FakeClock({ seed })) * 500);
      await pause(killedAfterMs);
      first.killHost();
      const killedAtMs = performance.now();
      const isBack = (caller: NativeCaller): boolean => caller.resumedTimes() === 1;
      await until('all to be back', () => callers.every(isBack), 20_000).catch((error: unknown) => {
        const missing = callers.filter((caller) => !isBack(caller));
        const told = missing.map(({ refusals, closeCodes }) => ({
          refusals: refusals.slice(-3),
          closeCodes,
        }));
        throw new Error(`${missing.length} are not back: ${JSON.stringify(told)}`, { cause: error });
      });
      const backMs = Math.round(performance.now() - killedAtMs);
      const heardBefore = speeches.map(({ heard }) => heard.length);
      const isHeard = ({ heard }: NumberedSpeech, i: number): boolean =>
        heard.length > (heardBefore[i] ?? 0) + 25;
      await until('all to be heard again', () => speeches.every(isHeard));
      const gaps = speeches.map(({ largestGapMs }) => Math.round(largestGapMs)).toSorted((a, b) => a - b);
      console.log(
        `seed ${seed}: ${CALLS} calls, killed after ${killedAfterMs} ms, back after ${backMs} ms, ` +
          `gaps ${gaps[0]} to ${gaps.at(-1)} ms`,
      );
      // Nobody hears two nodes, or a frame twice.
      expect(speeches.map(({ doubledFrames, framesOfOldLines }) => doubledFrames + framesOfOldLines)).toEqual(
        speeches.map(() => 0),
      );
      const late = backOf(callers[0]!);
      for (const caller of callers) caller.hangUp();
      const isTold = ({ callId }: NativeCaller): boolean =>
        hooks.firstArrivals(callId).some(({ type }) => type === 'call_completed');
      await until('all to be told', () => callers.every(isTold), 30_000);
      for (const { callId } of callers) expectWhole(hooks.firstArrivals(callId));
      const { callId } = callers[0]!;
      await untilFound(
        'ended',
        () => recordOf(registry, callId),
        (found) => typeof found === 'object' && found !== null && 'state' in found && found.state === 'ended',
      );
      // The last word of a call; whatever came after it would be one too many.
      const isAnalyzed = (): boolean =>
        hooks.firstArrivals(callId).some(({ type }) => type === 'call_analyzed');
      await until('the last of the call', isAnalyzed);
      const told = hooks.firstArrivals(callId).length;
      expect([404, 4404]).toContain(await answerTo(`${second.ready.media_url}/media/native`, late.token));
      const next = await NativeCaller.dial(await nativeUrl(second));
      await until('a later call to be told', () => hooks.firstArrivals(next.callId).length >= 3);
      next.hangUp();
      expect(hooks.firstArrivals(callId)).toHaveLength(told);
    },
  );
});
