import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { RedisServer } from '../fakes/redis/server.ts';
import {
  clusterSettings,
  expectWhole,
  figureOf,
  hooksOf,
  nativeUrl,
  nodeOf,
  Opened,
  pause,
  RESUMING,
  untilCompleted,
  untilFound,
} from './cluster-scene.ts';
import { House, until } from './house.ts';
import { NativeCaller } from './native-caller.ts';
import { NumberedSpeech } from './numbered-speech.ts';

const LONG = process.env['OMNIVOICE_TEST_LONG'] !== undefined;
const STEPPING_CLOCK = resolve(import.meta.dirname, '../fakes/stepping-clock.ts');
const STEP_MS = 10_000;

const opened = new Opened();
const own: Opened['own'] = (one) => opened.own(one);

afterEach(() => opened.close());

/** A house whose wall clock steps when it is told to. */
async function openStepping(): Promise<{ house: House; step: (aheadMs: number) => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'omnivoice-clock-'));
  const file = join(folder, 'ahead-ms');
  own({ close: () => rmSync(folder, { recursive: true, force: true }) });
  const step = (aheadMs: number): void => writeFileSync(file, String(aheadMs));
  step(0);
  const redis = own(await RedisServer.open());
  const { NODE_OPTIONS: before } = process.env;
  process.env['NODE_OPTIONS'] = `--import=${STEPPING_CLOCK}`;
  process.env['STEPPING_CLOCK_FILE'] = file;
  try {
    const settings = { ...clusterSettings(redis), ...RESUMING, MEDIA_NODES: '2' };
    return { house: own(await House.open(settings)), step };
  } finally {
    delete process.env['STEPPING_CLOCK_FILE'];
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  }
}

describe.runIf(LONG)('a wall clock that steps', () => {
  it.each([STEP_MS, -STEP_MS])(
    'by %i ms changes nothing that runs, and not how long a gap was',
    { timeout: 60_000 },
    async (stepMs) => {
      const { house, step } = await openStepping();
      const hooks = await hooksOf(house, opened);
      const caller = await NativeCaller.dial(await nativeUrl(house));
      const speech = new NumberedSpeech(caller);
      const { callId } = caller;
      await until('the call to be heard', () => speech.heard.length > 25);
      await until('the call to be told', () => hooks.firstArrivals(callId).length >= 3);
      const beganAtMs = performance.now();
      step(stepMs);
      await untilFound(
        'the skew to be seen',
        () => figureOf(house, 'clock_skew_seconds'),
        (seconds) => Math.abs(Number(seconds) * 1000 + 2 * stepMs) < 2_000,
      );
      // A lease and what is saved without events are over by then.
      await pause(6_000);
      expect(await figureOf(house, 'takeovers_total', 'result="ok"')).toBe(0);
      expect(await figureOf(house, 'node_lease_valid')).toBe(2);
      expect([speech.missingFrames, speech.doubledFrames, caller.resumedTimes()]).toEqual([0, 0, 0]);
      process.kill(house.pidOf(nodeOf(hooks, callId)), 'SIGKILL');
      await until('the call to go on', () => caller.resumedTimes() === 1);
      const heardBefore = speech.heard.length;
      await until('the call to be heard on', () => speech.heard.length > heardBefore + 25);
      step(0);
      await pause(500);
      caller.hangUp();
      await untilCompleted(hooks, callId);
      const lastedMs = performance.now() - beganAtMs;
      const told = hooks.firstArrivals(callId);
      expectWhole(told);
      const recovered = told.find(({ type }) => type === 'call_recovered');
      const ended = told.find(({ type }) => type === 'call_ended');
      const durationMs = Number(ended?.data['duration_ms']);
      console.log(`stepped by ${stepMs} ms: gap ${String(recovered?.data['gap_ms'])}, ${durationMs} ms long`);
      // What is off by a step is off by ten seconds.
      expect(Number(recovered?.data['gap_ms'])).toBeLessThan(STEP_MS / 2);
      expect(Math.abs(durationMs - lastedMs)).toBeLessThan(STEP_MS / 2);
    },
  );
});
