import { messageOf } from '../src/base/errors.ts';
import { distributionOf } from './load/distribution.ts';
import { ClusterScene, type SceneName } from './failover/cluster-scene.ts';
import { brokenOf, figuresOf, type FaultFigures } from './failover/fault-figures.ts';
import { callsTable, legsTable } from './failover/fault-tables.ts';
import { runFault, type FaultRun } from './failover/fault-run.ts';
import { FAULTS, type Fault } from './failover/faults.ts';
import type { BenchOptions, Report } from './report.ts';
import type { Told } from './scene/hook-figures.ts';
import { pause } from './scene/phases.ts';

const TOLD_WITHIN_MS = 40_000;
const SECONDS_PER_SCENE = 15;
const SCENE_TRIES = 2;
const REASON_MAX = 1000;

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
  const played: Played[] = [];
  try {
    // Faults of the same scene one after the other; what is wrong with a Redis side by side.
    const [beside, alone] = scenesOf(faults);
    for (const scene of alone) played.push(await playScene(await openScene(scene)));
    const opened: OpenScene[] = [];
    for (const scene of beside) opened.push(await openScene(scene));
    played.push(...(await Promise.all(opened.map(playScene))));
  } finally {
    process.off('SIGINT', leave).off('SIGTERM', leave);
  }
  const figures = played.flatMap((one) => one.figures);
  const load = distributionOf(played.flatMap(({ lateMs }) => lateMs));
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
    failures: [...played.flatMap(({ failures }) => failures), ...figures.flatMap(brokenOf)],
    figures: { faults: figures, lateMs: load },
  };
}

/** Faults of one scene. */
interface Scene {
  readonly name: SceneName;
  readonly faults: readonly Fault[];
}

interface OpenScene extends Scene {
  /** Undefined where it did not come up; `why` says so. */
  readonly stage: ClusterScene | undefined;
  readonly why?: string;
}

interface Played {
  /** What kept it from being played to the end. */
  readonly failures: readonly string[];
  readonly figures: readonly FaultFigures[];
  /** Of each frame the load said. */
  readonly lateMs: readonly number[];
}

/** Those that can be played side by side, and those that cannot. */
function scenesOf(faults: readonly Fault[]): readonly [beside: readonly Scene[], alone: readonly Scene[]] {
  const scenes = [...Map.groupBy(faults, ({ scene }) => scene)].map(([name, own]) => ({ name, faults: own }));
  const isBeside = ({ name }: Scene): boolean => name.startsWith('redis-');
  return [scenes.filter(isBeside), scenes.filter((scene) => !isBeside(scene))];
}

async function openScene(scene: Scene): Promise<OpenScene> {
  let why = '';
  // A machine with much else to do may be too slow for a host to come up in its time, once.
  for (let tried = 0; tried < SCENE_TRIES; tried++) {
    try {
      return { ...scene, stage: await ClusterScene.open(scene.name) };
    } catch (error) {
      why = reasonOf(error);
    }
  }
  return { ...scene, stage: undefined, why };
}

/** What one scene fails in does not keep the others from being played. */
async function playScene({ name, faults, stage, why = '' }: OpenScene): Promise<Played> {
  if (stage === undefined) return { failures: [`${name}: ${why}`], figures: [], lateMs: [] };
  let figures: readonly FaultFigures[] = [];
  const failures: string[] = [];
  let lateMs: readonly number[] = [];
  try {
    figures = await playFaults(stage, faults);
    lateMs = await stage.crowd.ask<readonly number[]>('lateMs');
  } catch (error) {
    failures.push(`${name}: ${reasonOf(error)}`);
  } finally {
    await stage.close();
  }
  return { figures, lateMs, failures };
}

async function playFaults(scene: ClusterScene, faults: readonly Fault[]): Promise<readonly FaultFigures[]> {
  const played: { readonly fault: Fault; readonly runs: readonly FaultRun[] }[] = [];
  const told: Told[] = [];
  /** Which fault a call is of: the one in which it was first told of, however late its last word comes. */
  const faultOf = new Map<string, Fault>();
  let placedCalls = 0;
  for (const fault of faults) {
    const runs: FaultRun[] = [];
    for (let i = 0; i < fault.runs; i++) runs.push(await runFault(scene, fault, i));
    placedCalls += runs.reduce((sum, run) => sum + run.placedCalls + run.warmCalls, 0);
    await untilTold(scene, placedCalls);
    for (const one of await scene.receiver.ask<Told[]>('told')) {
      // A node tells of itself, too, as when it was drained.
      if (!one.callId.startsWith('call_')) continue;
      told.push(one);
      if (!faultOf.has(one.callId)) faultOf.set(one.callId, fault);
    }
    played.push({ fault, runs });
    console.log(`  ${fault.title}: ${runs.length} runs`);
  }
  return played.map(({ fault, runs }) =>
    figuresOf(
      fault,
      runs,
      told.filter(({ callId }) => faultOf.get(callId) === fault),
    ),
  );
}

/** A host that did not come up says why at length. */
function reasonOf(error: unknown): string {
  return messageOf(error).slice(0, REASON_MAX);
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
  const secondsOf = (scene: Scene): number =>
    scene.faults.reduce((sum, fault) => sum + fault.runs * fault.secondsPerRun, SECONDS_PER_SCENE);
  const [beside, alone] = scenesOf(faults);
  const seconds = alone.reduce((sum, scene) => sum + secondsOf(scene), Math.max(0, ...beside.map(secondsOf)));
  const names = faults.map(({ name, runs }) => `${name} × ${runs}`).join(', ');
  return `about ${Math.ceil(seconds / 60)} minutes: ${names}`;
}
