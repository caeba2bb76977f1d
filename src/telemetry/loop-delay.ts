import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Closeable } from '../base/lifetime.ts';

/** How late the event loop ran, over a stretch of time. */
export interface LoopDelays {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface LoopDelay extends Closeable {
  /** Since the reading before the last. Whoever reads needs one of their own. */
  read(): LoopDelays;
}

/** What is asked of a sampler: nanoseconds between two runs of its timer. */
export interface LoopSampler {
  readonly count: number;
  readonly max: number;
  percentile(percentile: number): number;
  reset(): void;
  enable(): unknown;
  disable(): unknown;
}

const RESOLUTION_MS = 10;

/** Starts to measure how late the event loop runs. */
export function openLoopDelay(
  open: (resolutionMs: number) => LoopSampler = (resolution) => monitorEventLoopDelay({ resolution }),
): LoopDelay {
  // A sampler that is reset misses the wait it is in, and a block of the loop that falls into it. One of two
  // begins anew only when the other is well on its way.
  let samplers: readonly [LoopSampler, LoopSampler] = [open(RESOLUTION_MS), open(RESOLUTION_MS)];
  for (const sampler of samplers) sampler.enable();
  return {
    read: () => {
      const [older, younger] = samplers;
      const delays = delaysOf(older);
      if (younger.count > 0) {
        older.reset();
        samplers = [younger, older];
      }
      return delays;
    },
    close: () => {
      for (const sampler of samplers) sampler.disable();
    },
  };
}

function delaysOf(sampler: LoopSampler): LoopDelays {
  if (sampler.count === 0) return { p50Ms: 0, p99Ms: 0, maxMs: 0 };
  return {
    p50Ms: lateMs(sampler.percentile(50)),
    p99Ms: lateMs(sampler.percentile(99)),
    maxMs: lateMs(sampler.max),
  };
}

// Node's histogram holds the whole time between two runs of its timer, the wait it had asked for included: an
// idle loop would read as 10 ms late.
function lateMs(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
}
