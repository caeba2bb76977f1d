import { resolve } from 'node:path';
import { House } from '../test/live/house.ts';
import type { CrowdNotes, CrowdPlan, ToldItem } from './barge-in/crowd.ts';
import { distributionOf, type Distribution } from './load/distribution.ts';
import { Remote } from './load/remote.ts';
import { FRAME_MS } from './load/speech.ts';
import { MEASURED_CORE, OTHER_CORE, parentOf, pin } from './machine.ts';
import type { BenchOptions, Report, Table } from './report.ts';
import { pause, settle } from './scene/phases.ts';
import { Stretch, type StretchFigures } from './scene/stretch.ts';

const CALLS_MAX = 100;
/** Beside every five who interrupt, one who coughs at an agent that only pauses. */
const CALLS_PER_COUGHER = 5;
/** An item of an agent and the pause before it: one at least is over by then. */
const SMOKE_MS = 5_000;
const P50_MS_MAX = 80;
const P95_MS_MAX = 130;
/** The line of somebody whose agent has paused is silent for longer than any tick is late. */
const PAUSE_MS_MIN = 100;

/**
 * Callers by Twilio and by `native` who speak over agents of a backend of their own, through a whole house:
 * from the first sound of the caller to `clear` on the wire, and what the agent is told was heard.
 */
export async function benchInterruptions(options: BenchOptions): Promise<Report> {
  pin(process.pid, OTHER_CORE);
  const calls = Math.min(CALLS_MAX, options.calls);
  const coughers = Math.ceil(calls / CALLS_PER_COUGHER);
  // A late machine must show in the figures, not refuse the load or kill its node.
  const house = await House.open({ LOOP_DELAY_MAX_MS: '0', WATCHDOG_MS: '0' });
  const load = Remote.open(resolve(import.meta.dirname, 'barge-in/process.ts'));
  try {
    const nodePid = house.pidOf('node-0');
    const isPinned = pin(nodePid, MEASURED_CORE);
    const agentUrl = await load.ask<string>('agentUrl');
    const { callsPerSecond } = options;
    const plans: CrowdPlan[] = [
      { name: 'i', calls, callsPerSecond, urls: await publish(house, agentUrl, 'clear') },
      { name: 'c', calls: coughers, callsPerSecond, urls: await publish(house, agentUrl, 'pause') },
    ];
    const refusals = await load.ask<string[]>('ramp', plans);
    await settle(options);
    await load.ask('measure');
    const otherPids = [house.pidOf('control'), parentOf(nodePid), load.pid, process.pid];
    const stretch = new Stretch({ measuredPid: nodePid, otherPids, isPinned });
    await pause(options.isSmoke ? SMOKE_MS : options.seconds * 1000);
    const machine = stretch.end();
    const notes = await load.ask<CrowdNotes>('read');
    await load.ask('hangUp');
    return reportOf({ calls, coughers, refusals, notes, machine });
  } finally {
    await load.close();
    await house.close();
  }
}

/** An agent of this policy; where its callers call. */
async function publish(house: House, url: string, barge_in: string): Promise<CrowdPlan['urls']> {
  const key = house.ready.api_key;
  const backends = [{ name: 'own', dialect: 'native', url }];
  const { id } = await house.api<{ id: string }>(
    'POST',
    '/agents',
    { name: barge_in, barge_in, backends },
    key,
  );
  await house.api('POST', `/agents/${id}/publish`, {}, key);
  const urlOf = async (dialect: string): Promise<string> =>
    (await house.api<{ url: string }>('POST', '/voice/stream-credentials', { dialect, agent_id: id })).url;
  return [await urlOf('twilio'), await urlOf('native')];
}

interface Found {
  readonly calls: number;
  readonly coughers: number;
  readonly refusals: readonly string[];
  readonly notes: CrowdNotes;
  readonly machine: StretchFigures;
}

function reportOf({ calls, coughers, refusals, notes, machine }: Found): Report {
  const interrupted = notes.items.filter(({ caller }) => caller.startsWith('i'));
  const coughed = notes.items.filter(({ caller, hasSpoken }) => caller.startsWith('c') && hasSpoken);
  const onsets = {
    all: latencyOf(interrupted),
    twilio: latencyOf(interrupted.filter(({ dialect }) => dialect === 'twilio')),
    native: latencyOf(interrupted.filter(({ dialect }) => dialect === 'native')),
    withEcho: latencyOf(interrupted.filter(({ hasEcho }) => hasEcho)),
    withoutEcho: latencyOf(interrupted.filter(({ hasEcho }) => !hasEcho)),
    notTorn: latencyOf(interrupted.filter(({ isTorn }) => !isTorn)),
  };
  const counts = countsOf(interrupted, coughed);
  return {
    name: 'barge-in',
    tables: [
      latencyTable(onsets, calls),
      {
        title: `${interrupted.length} interruptions, and ${coughed.length} coughs of ${coughers} more calls`,
        columns: ['what', 'count'],
        rows: Object.entries(counts),
      },
      targetTable(onsets.all.sinceOnsetMs),
      {
        title: 'the machine meanwhile',
        columns: ['node CPU %', 'others CPU %', 'stolen %', 'load late p99 ms'],
        rows: [[machine.cpuPercent, machine.othersCpuPercent, machine.stolenPercent, notes.lateMs.p99]],
      },
    ],
    failures: [...refusedBy(refusals), ...failuresOf(counts, onsets.all.sinceOnsetMs, notes)],
    figures: { calls, coughers, onsets, counts, lateMs: notes.lateMs, machine },
  };
}

interface OnsetLatency {
  /** From the caller's first sound. */
  readonly sinceOnsetMs: Distribution;
  /** From the write of the frame that holds it. */
  readonly sinceWriteMs: Distribution;
}

function latencyOf(items: readonly ToldItem[]): OnsetLatency {
  const of = (name: 'sinceOnsetMs' | 'sinceWriteMs'): Distribution =>
    distributionOf(items.map((item) => item[name]).filter((ms) => ms !== null));
  return { sinceOnsetMs: of('sinceOnsetMs'), sinceWriteMs: of('sinceWriteMs') };
}

type Counts = ReturnType<typeof countsOf>;

function countsOf(interrupted: readonly ToldItem[], coughed: readonly ToldItem[]) {
  const count = (items: readonly ToldItem[], is: (item: ToldItem) => boolean): number =>
    items.filter(is).length;
  const cleared = interrupted.filter(({ wasCleared }) => wasCleared);
  return {
    'told to the frame': count(cleared, (item) => offBy(item) === 0),
    'told one frame off': count(cleared, (item) => offBy(item) === 1),
    'told wrongly': count(cleared, (item) => offBy(item) > 1),
    'told nothing': count(cleared, ({ toldMs }) => toldMs === null),
    'interrupted by an echo': count(cleared, ({ hasSpoken, hasEcho, isTorn }) => {
      return !hasSpoken && hasEcho && !isTorn;
    }),
    'interrupted by nobody': count(cleared, ({ hasSpoken, hasEcho }) => !hasSpoken && !hasEcho),
    'not heeded': count(interrupted, ({ wasCleared, hasSpoken }) => hasSpoken && !wasCleared),
    'coughs heard out, agent paused': count(coughed, (item) => !item.wasCleared && hasPaused(item)),
    'coughs nobody noticed': count(coughed, (item) => !item.wasCleared && !hasPaused(item)),
    'coughs taken for words': count(coughed, ({ wasCleared, isTorn }) => wasCleared && !isTorn),
    'items torn by a late load': count([...interrupted, ...coughed], ({ isTorn }) => isTorn),
    'frames not as they were said': [...interrupted, ...coughed].reduce(
      (sum, one) => sum + one.wrongFrames,
      0,
    ),
  };
}

function hasPaused({ gapMaxMs }: ToldItem): boolean {
  return gapMaxMs >= PAUSE_MS_MIN;
}

/** Frames between what the agent was told and what its caller had. */
function offBy({ toldMs, heardFrames }: ToldItem): number {
  return toldMs === null ? Number.NaN : Math.abs(toldMs / FRAME_MS - heardFrames);
}

function latencyTable(onsets: { readonly [name: string]: OnsetLatency }, calls: number): Table {
  return {
    title: `${calls} calls: ms to clear on the wire, from the first sound and from the frame that holds it`,
    columns: ['lines', 'count', 'p50', 'p95', 'p99', 'max', 'frame p50', 'frame p95'],
    rows: Object.entries(onsets).map(([name, { sinceOnsetMs: onset, sinceWriteMs: write }]) => [
      name,
      onset.count,
      onset.p50,
      onset.p95,
      onset.p99,
      onset.max,
      write.p50,
      write.p95,
    ]),
  };
}

function targetTable({ p50, p95 }: Distribution): Table {
  return {
    title: 'targets',
    columns: ['figure', 'measured', 'target'],
    rows: [
      ['first sound to clear p50, ms', p50, P50_MS_MAX],
      ['first sound to clear p95, ms', p95, P95_MS_MAX],
    ],
  };
}

function refusedBy(refusals: readonly string[]): string[] {
  return refusals.length === 0 ? [] : [`${refusals.length} calls refused: ${refusals[0]}`];
}

/** What is broken; slowness is not. */
function failuresOf(counts: Counts, { count }: Distribution, { lostCalls }: CrowdNotes): string[] {
  const mustBeNone = [
    'told wrongly',
    'told nothing',
    'interrupted by an echo',
    'interrupted by nobody',
    'coughs taken for words',
    'frames not as they were said',
  ] as const;
  return [
    ...mustBeNone.filter((name) => counts[name] > 0).map((name) => `${counts[name]} ${name}`),
    ...(count === 0 ? ['nobody was interrupted'] : []),
    ...(counts['coughs heard out, agent paused'] === 0 ? ['no agent paused for a cough'] : []),
    ...(lostCalls === 0 ? [] : [`${lostCalls} calls were cut off`]),
  ];
}
