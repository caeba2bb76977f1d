import { describe, expect, it } from 'vitest';
import { mixedSchedule, redisSchedule, type LiveFault } from './cluster-schedule.ts';
import { FaultedHouse, type FaultedCall } from './faulted-house.ts';

const LONG = process.env['OMNIVOICE_TEST_LONG'] !== undefined;
const SEEDS = Number(process.env['OMNIVOICE_TEST_SEEDS'] ?? (LONG ? 20 : 1));
const FIRST_SEED = Number(process.env['OMNIVOICE_TEST_SEED'] ?? 1);
const seeds = Array.from({ length: SEEDS }, (_, i) => FIRST_SEED + i);

/** What a call's hooks tell wrongly, in words. */
function brokenStory({ hooks }: FaultedHouse, { callId }: FaultedCall, mayBeLost: boolean): string[] {
  const told = hooks.firstArrivals(callId);
  const sequences = told.map(({ sequence }) => sequence);
  const broken: string[] = [];
  if (sequences.some((sequence, index) => sequence !== index + 1)) broken.push(`told ${sequences.join(' ')}`);
  const ends = told.filter(({ type }) => type === 'call_ended');
  if (ends.length !== 1) broken.push(`ended ${ends.length} times`);
  const completions = told.filter(({ type }) => type === 'call_completed');
  if (completions.length !== 1) broken.push(`completed ${completions.length} times`);
  const isLost = ends.some(({ data }) => data['reason'] === 'node_lost');
  if (isLost && !mayBeLost) broken.push('lost with its node');
  return broken.map((word) => `${callId}: ${word}`);
}

/** An outage of Redis as an owner dies can take the last snapshot with it: nothing is left to go on with. */
function mayLose(schedule: readonly LiveFault[]): boolean {
  const isOfRedis = schedule.some(({ target }) => target === 'redis');
  return isOfRedis && schedule.some(({ target, fault }) => fault === 'kill' && target.startsWith('node'));
}

describe('faults of Redis under running calls', () => {
  it.each(seeds)(
    'move nothing, lose nothing and are not heard: schedule %i',
    { timeout: 60_000 },
    async (seed) => {
      const schedule = redisSchedule(seed);
      const story = `seed ${seed}: ${JSON.stringify(schedule)}`;
      const scene = await FaultedHouse.open();
      try {
        await scene.call(4);
        await scene.play(schedule);
        await scene.untilHeard();
        const takeovers = await scene.figure('takeovers_total', 'result="ok"');
        await scene.hangUp();
        const { calls, witness } = scene;
        const largestGapMs = Math.max(...calls.map(({ speech }) => speech.largestGapMs));
        console.log(`${story}\n  ${witness.looks} looks, largest gap ${Math.round(largestGapMs)} ms`);
        const broken = [...witness.broken, ...calls.flatMap((call) => brokenStory(scene, call, false))];
        const heard = calls.map(({ speech, caller }) => ({
          missing: speech.missingFrames,
          doubled: speech.doubledFrames,
          resumed: caller.resumedTimes(),
        }));
        expect({ story, broken, takeovers, heard }).toEqual({
          story,
          broken: [],
          takeovers: 0,
          heard: calls.map(() => ({ missing: 0, doubled: 0, resumed: 0 })),
        });
        expect(witness.looks).toBeGreaterThan(50);
      } finally {
        await scene.close();
      }
    },
  );
});

describe.runIf(LONG)('faults of anything under running calls', () => {
  it.each(seeds)('leave every call whole: schedule %i', { timeout: 120_000 }, async (seed) => {
    const schedule = mixedSchedule(seed);
    const story = `seed ${seed}: ${JSON.stringify(schedule)}`;
    const scene = await FaultedHouse.open();
    try {
      await scene.call(4);
      await scene.play(schedule);
      if (!mayLose(schedule)) await scene.untilHeard();
      await scene.hangUp();
      const { calls, witness } = scene;
      const resumed = calls.map(({ caller }) => caller.resumedTimes()).join(' ');
      console.log(`${story}\n  ${witness.looks} looks, resumed ${resumed}`);
      const broken = [
        ...witness.broken,
        ...calls.flatMap((call) => brokenStory(scene, call, mayLose(schedule))),
        // What a node that stood still had in hand comes late, on a line that its caller has left.
        ...calls.flatMap(({ speech, callId }) =>
          speech.doubledFrames > speech.framesOfOldLines ? [`${callId}: heard twice`] : [],
        ),
      ];
      expect({ story, broken }).toEqual({ story, broken: [] });
    } finally {
      await scene.close();
    }
  });
});
