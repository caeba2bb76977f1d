import { distributionOf } from './load/distribution.ts';
import { ClusterScene, type SceneWish } from './failover/cluster-scene.ts';
import { brokenOf, figuresOf, type FaultFigures } from './failover/fault-figures.ts';
import { callsTable, legsTable } from './failover/fault-tables.ts';
import { runFault, type FaultRun } from './failover/fault-run.ts';
import { FAULTS, type Fault } from './failover/faults.ts';
import type { BenchOptions, Report } from './report.ts';
import type { Told } from './scene/hook-figures.ts';
import { pause } from './scene/phases.ts';

const TOLD_WITHIN_MS = 40_000;
const SECONDS_PER_SCENE = 15;
const SCENES: { readonly [Name in Fault['scene']]: SceneWish } = {
  cluster: { hosts: 2, nodesPerHost: 2, withPostgres: true },
  regions: { hosts: 2, nodesPerHost: 1, withPostgres: true, redisEach: true },
};

/**
 * Real processes are killed, stopped and cut off under real calls: what each leg noticed, how soon it was
 * back, how long its caller heard nothing, and whether a call, a frame or an event was lost or came twice.
 */
export async function benchFailover(options: BenchOptions): Promise<Report> {
  const faults = plannedFaults(options);
  console.log(`\nfailover: ${planOf(faults)}`);
  // Whatever ends this process ends what it started, by each scene's last will.
  const leave = (): never => process.exit(130);
  process.once('SIGINT', leave).once('SIGTERM', leave);
  const figures: FaultFigures[] = [];
  const lateMs: number[] = [];
  try {
    for (const [name, wish] of Object.entries(SCENES)) {
      const own = faults.filter(({ scene }) => scene === name);
      if (own.length > 0) figures.push(...(await playScene(wish, own, lateMs)));
    }
  } finally {
    process.off('SIGINT', leave).off('SIGTERM', leave);
  }
  const load = distributionOf(lateMs);
  return {
    name: 'failover',
    tables: [
      legsTable(figures),
      callsTable(figures),
      {
        title: 'the machine meanwhile: how late the load said its frames, in ms',
        columns: ['frames', 'p50', 'p99', 'max'],
        rows: [[load.count, load.p50, load.p99, load.max]],
      },
    ],
    failures: figures.flatMap(brokenOf),
    figures: { faults: figures, lateMs: load },
  };
}

async function playScene(
  wish: SceneWish,
  faults: readonly Fault[],
  lateMs: number[],
): Promise<FaultFigures[]> {
  const scene = await ClusterScene.open(wish);
  const figures: FaultFigures[] = [];
  let placedCalls = 0;
  try {
    for (const fault of faults) {
      const runs: FaultRun[] = [];
      for (let i = 0; i < fault.runs; i++) runs.push(await runFault(scene, fault, i));
      placedCalls += runs.reduce((sum, run) => sum + run.placedCalls, 0);
      await untilTold(scene, placedCalls);
      figures.push(figuresOf(fault, runs, await scene.receiver.ask<Told[]>('told')));
      for (const late of await scene.crowd.ask<readonly number[]>('lateMs')) lateMs.push(late);
      console.log(`  ${fault.title}: ${runs.length} runs`);
    }
    return figures;
  } finally {
    await scene.close();
  }
}

/** Until the last event of the last call is there, or has been waited for long enough. */
async function untilTold({ receiver }: ClusterScene, placedCalls: number): Promise<void> {
  const untilMs = performance.now() + TOLD_WITHIN_MS;
  while ((await receiver.ask<number>('completedCalls')) < placedCalls && performance.now() < untilMs) {
    await pause(50);
  }
}

function plannedFaults({ faults: names, runs, isQuick, isSmoke }: BenchOptions): readonly Fault[] {
  const wanted = names === null ? FAULTS : FAULTS.filter(({ name }) => names.includes(name));
  if (!isQuick && !isSmoke) return wanted.map((fault) => ({ ...fault, runs: runs ?? fault.runs }));
  return wanted
    .filter(({ quick }) => quick !== null)
    .map((fault) => ({ ...fault, ...fault.quick, runs: runs ?? 1 }));
}

function planOf(faults: readonly Fault[]): string {
  const scenes = new Set(faults.map(({ scene }) => scene)).size;
  const seconds = faults.reduce(
    (sum, { runs, secondsPerRun }) => sum + runs * secondsPerRun,
    scenes * SECONDS_PER_SCENE,
  );
  const names = faults.map(({ name, runs }) => `${name} × ${runs}`).join(', ');
  return `about ${Math.ceil(seconds / 60)} minutes: ${names}`;
}
