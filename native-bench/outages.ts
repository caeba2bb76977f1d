import { audioTable, faultTable, hookFailures, hookTable, noiseTable } from './load-tables.ts';
import { OTHER_CORE, pin } from './machine.ts';
import type { BenchOptions, Report } from './report.ts';
import { latencyOf } from './scene/hook-figures.ts';
import { runHouse } from './scene/house-scene.ts';
import { echoFailures } from './scene/phases.ts';

const KILLS = 3;

/**
 * The calls of the calls bench while the control process is killed three times: what callers heard of it,
 * and whether
 * a hook was lost or came out of order. The longest round trip is the longest gap in anybody's ear.
 */
export async function benchOutages(options: BenchOptions): Promise<Report> {
  pin(process.pid, OTHER_CORE);
  const controlKills = options.isSmoke ? 1 : KILLS;
  const house = await runHouse({ ...options, controlKills, withBurst: false, withBadEndpoints: false });
  const { hooks, faults, connections } = house;
  const steady = latencyOf(hooks.steady);
  return {
    name: 'outages',
    tables: [
      audioTable([[`steady, control killed ${controlKills} times`, house.steady]]),
      hookTable([['steady: voice', steady]], undefined),
      faultTable(faults, connections),
      noiseTable([['house', house]]),
    ],
    failures: [...echoFailures('house', house), ...hookFailures(faults, options.calls)],
    figures: {
      controlKills,
      calls: options.calls,
      roundTripMs: house.steady.roundTripMs,
      lostFrames: house.steady.lostFrames,
      hooks: steady,
      faults,
      stretch: house.stretch,
    },
  };
}
