import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../src/base/clock.ts';
import { FRAME_MS } from '../src/base/units.ts';
import { NodePacer } from '../src/node/pacer.ts';
import type { BenchOptions, Report } from './report.ts';

const STALL_MS = 200;

/** As many streams as the node has phases, so that every step plays a frame. */
const STREAMS = 4;
const STEP_MS = FRAME_MS / STREAMS;

/** Paced streams on the real clock, with the loop stalled for 200 ms half way: is their clock still right? */
export async function benchPacing({ seconds }: BenchOptions): Promise<Report> {
  const failures: string[] = [];
  let [frames, lagMsMax] = [0, 0];
  const pacer = new NodePacer({
    clock: systemClock,
    observeLagMs: (lagMs) => {
      lagMsMax = Math.max(lagMsMax, lagMs);
    },
    onFailure: (error) => failures.push(String(error)),
  });
  const { metronomeStats } = pacer;
  // How late the earliest tick of each half was: timers are late now and then, a clock that is off is so always.
  let earliestMs = Infinity;
  const tick = (nowMs: number): void => {
    frames++;
    const steps = metronomeStats.playedSteps + metronomeStats.forgivenSteps;
    earliestMs = Math.min(earliestMs, nowMs - steps * STEP_MS);
  };
  const streams = Array.from({ length: STREAMS }, () => ({ tick }));
  for (const stream of streams) pacer.add(stream);
  await sleep((seconds * 1000) / 2);
  const earliestOfFirstMs = earliestMs;
  stall();
  await sleep((seconds * 1000) / 4);
  earliestMs = Infinity;
  await sleep((seconds * 1000) / 4);
  for (const stream of streams) pacer.remove(stream);
  const errorMs = earliestMs - earliestOfFirstMs;
  const { playedSteps, caughtUpSteps, forgivenSteps } = metronomeStats;
  if (Math.abs(errorMs) >= FRAME_MS) failures.push(`the clock is off by ${errorMs.toFixed(1)} ms`);
  if (frames !== playedSteps) failures.push(`${playedSteps} frames were due and ${frames} were played`);
  if (caughtUpSteps === 0) failures.push('nothing was caught up after the stall');
  const figures = {
    seconds,
    frames,
    errorMs,
    lagMsMax,
    caughtUpFrames: caughtUpSteps,
    forgivenFrames: forgivenSteps,
  };
  return {
    name: 'pacing',
    tables: [
      {
        title: `${STREAMS} streams for ${seconds} s, stalled once for ${STALL_MS} ms: frames of all of them`,
        columns: Object.keys(figures),
        rows: [Object.values(figures)],
      },
    ],
    failures,
    figures,
  };
}

function stall(): void {
  const untilMs = systemClock.nowMs() + STALL_MS;
  while (systemClock.nowMs() < untilMs) continue;
}
