import { voiceBetween } from './calls.ts';
import {
  audioTable,
  faultTable,
  hookFailures,
  hookTable,
  hookTargets,
  noiseTable,
  TARGET_COLUMNS,
} from './load-tables.ts';
import { OTHER_CORE, pin } from './machine.ts';
import type { BenchOptions, Report, Table } from './report.ts';
import { binnedBetween } from './scene/exposition.ts';
import { latencyOf } from './scene/hook-figures.ts';
import { runHouse, type HouseFigures } from './scene/house-scene.ts';
import { echoFailures } from './scene/phases.ts';

const STAGES = ['detected', 'journalled', 'sent', 'delivered'] as const;

/**
 * Hooks at the load of the calls bench, with an endpoint that is dead and one that takes five seconds beside
 * the good one (contract.md §6, Budget).
 */
export async function benchHooks(options: BenchOptions): Promise<Report> {
  pin(process.pid, OTHER_CORE);
  const house = await runHouse({ ...options, withBurst: false, withBadEndpoints: true });
  const { hooks, faults } = house;
  const binned = voiceBetween(house);
  const byType = Map.groupBy([...hooks.ramp, ...hooks.steady, ...hooks.hangUp], ({ type }) => type);
  const rows = [...byType].map(([type, hooks]) => [type, latencyOf(hooks)] as const);
  return {
    name: 'hooks',
    tables: [
      hookTable([['steady: voice', latencyOf(hooks.steady)], ...rows], binned),
      stageTable(house),
      faultTable(faults, house.connections),
      {
        title: 'targets, with a dead and a slow endpoint attached',
        columns: TARGET_COLUMNS,
        rows: hookTargets(latencyOf(hooks.steady)),
      },
      audioTable([['steady', house.steady]]),
      noiseTable([['house', house]]),
    ],
    failures: [
      ...echoFailures('house', house),
      ...hookFailures(faults, options.calls),
      ...(hooks.steady.length === 0 ? ['no voice was told in the steady stretch'] : []),
    ],
    figures: {
      eventsPerSecond: hooks.steady.length / house.stretch.durationSeconds,
      steady: latencyOf(hooks.steady),
      steadyBinned: binned,
      byType: Object.fromEntries(rows),
      stages: Object.fromEntries(STAGES.map((stage) => [stage, stageOf(house, stage)])),
      faults,
      roundTripMs: house.steady.roundTripMs,
      lateMs: house.steady.lateMs,
      stretch: house.stretch,
    },
  };
}

/** Where the time goes, by the house's own stamps: each stage from the end of the one before. */
function stageTable(house: HouseFigures): Table {
  return {
    title: 'stages of events to all endpoints, steady stretch, ms, by /metrics (binned)',
    columns: ['stage', 'events', 'p50', 'p99', 'p99.9'],
    rows: STAGES.map((stage) => {
      const { count, p50Ms, p99Ms, p999Ms } = stageOf(house, stage);
      return [stage, count, p50Ms, p99Ms, p999Ms];
    }),
  };
}

function stageOf({ before, after }: HouseFigures, stage: string) {
  return binnedBetween(before, after, 'omnivoice_event_stage_seconds', { stage });
}
