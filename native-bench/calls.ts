import { OTHER_CORE, pin } from './machine.ts';
import {
  audioTable,
  costTable,
  faultTable,
  hookFailures,
  hookTargets,
  hookTable,
  memoryPerCallMb,
  noiseTable,
  TARGET_COLUMNS,
  targetRow,
} from './load-tables.ts';
import type { BenchOptions, Report, Table } from './report.ts';
import { runBare } from './scene/bare-scene.ts';
import { binnedBetween, type BinnedLatency } from './scene/exposition.ts';
import { latencyOf } from './scene/hook-figures.ts';
import { runHouse, type HouseFigures } from './scene/house-scene.ts';
import { echoFailures, type ServerFigures } from './scene/phases.ts';

const PROPAGATION = 'omnivoice_hook_propagation_seconds';

interface Servers {
  readonly house: HouseFigures;
  readonly json: ServerFigures;
  readonly scan: ServerFigures;
}

/** Full-duplex Twilio echo calls through a whole house, beside a bare `ws` server under the same load. */
export async function benchCalls(options: BenchOptions): Promise<Report> {
  // Everybody but the measured process: children are born on the core of their parent.
  pin(process.pid, OTHER_CORE);
  const house = await runHouse({ ...options, withBurst: true, withBadEndpoints: false });
  const json = await runBare('json', options);
  const scan = await runBare('scan', options);
  const servers = { house, json, scan };
  const binned = voiceBetween(house);
  return {
    name: 'calls',
    tables: tablesOf(servers, binned, options.calls),
    failures: failuresOf(servers, options.calls),
    figures: figuresOf(servers, binned, options.calls),
  };
}

export function voiceBetween({ before, after }: HouseFigures): BinnedLatency {
  return binnedBetween(before, after, PROPAGATION, { event_class: 'voice' });
}

function tablesOf({ house, json, scan }: Servers, binned: BinnedLatency, calls: number): Table[] {
  const { hooks } = house;
  const stretches = [
    ['house', house],
    ['bare ws, JSON', json],
    ['bare ws, scan + template', scan],
  ] as const;
  return [
    audioTable([
      ['house, ramp', house.ramp],
      ['house, steady', house.steady],
      ...(house.burst === null ? [] : [['house, all in step', house.burst] as const]),
      ['bare ws, JSON', json.steady],
      ['bare ws, scan + template', scan.steady],
    ]),
    hookTable(
      [
        ['ramp: call_started, leg_connected', latencyOf(hooks.ramp)],
        ['steady: voice_detected, voice_ended', latencyOf(hooks.steady)],
        ['hang-up of all at once', latencyOf(hooks.hangUp)],
        ['all in step', latencyOf(hooks.burst)],
      ],
      binned,
    ),
    faultTable(house.faults, house.connections),
    costTable(stretches, calls),
    framesTable(house),
    targetTable({ house, json, scan }, calls),
    noiseTable(stretches),
    ...warningTables(house.warnings),
  ];
}

/** What the house itself was not content with. */
function warningTables(warnings: readonly string[]): Table[] {
  if (warnings.length === 0) return [];
  const rows = warnings.slice(0, 5).map((line) => [line.slice(0, 160)]);
  return [{ title: `${warnings.length} warnings in the log of the house`, columns: ['line'], rows }];
}

/** What the node counted of its frames during the steady stretch. */
function framesTable(house: HouseFigures): Table {
  const frames = framesOf(house);
  return {
    title: 'frames of the node between both readings of /metrics',
    columns: Object.keys(frames),
    rows: [Object.values(frames).map((count, i) => (i === 0 ? String(count) : count))],
  };
}

function framesOf({ before, after }: HouseFigures) {
  const between = (name: string, labels = {}): number =>
    after.sum(`omnivoice_frames_${name}_total`, labels) -
    before.sum(`omnivoice_frames_${name}_total`, labels);
  return {
    received: between('received'),
    played: between('played'),
    late: between('late'),
    concealed: between('concealed'),
    droppedBusy: between('dropped', { reason: 'busy' }),
    droppedFull: between('dropped', { reason: 'full' }),
    malformed: between('dropped', { reason: 'malformed' }),
  };
}

/** Each promise with what came of it. */
function targetTable({ house, json, scan }: Servers, calls: number): Table {
  const ms = house.steady.roundTripMs;
  const cpu = house.stretch.cpuPercent;
  return {
    title: 'ratios and targets, steady stretch',
    columns: TARGET_COLUMNS,
    rows: [
      ...hookTargets(latencyOf(house.hooks.steady)),
      targetRow('audio round trip p50, ms', ms.p50, 1),
      targetRow('audio round trip p99, ms', ms.p99, 5),
      targetRow('CPU / bare JSON', ratio(cpu, json.stretch.cpuPercent), 1.4),
      targetRow('CPU / bare scan + template', ratio(cpu, scan.stretch.cpuPercent), null),
      targetRow('round trip p50 / bare JSON', ratio(ms.p50, json.steady.roundTripMs.p50), null),
      targetRow('round trip p99 / bare JSON', ratio(ms.p99, json.steady.roundTripMs.p99), null),
      targetRow('MB / call', memoryPerCallMb(house, calls), 0.2),
      targetRow(
        'MB / call / bare JSON',
        ratio(memoryPerCallMb(house, calls), memoryPerCallMb(json, calls)),
        null,
      ),
      targetRow('late frames', framesOf(house).late, 0),
    ],
  };
}

function failuresOf({ house, json, scan }: Servers, calls: number): string[] {
  const isBurstEchoed = house.burst === null || house.burst.echoedFrames > 0.9 * house.burst.sentFrames;
  return [
    ...echoFailures('house', house),
    ...echoFailures('bare ws, JSON', json),
    ...echoFailures('bare ws, scan', scan),
    ...(isBurstEchoed ? [] : ['house: callers in step were not echoed']),
    ...hookFailures(house.faults, 2 * calls),
    ...(house.hooks.steady.length === 0 ? ['no voice was told in the steady stretch'] : []),
  ];
}

function figuresOf({ house, json, scan }: Servers, binned: BinnedLatency, calls: number): object {
  const { before: _before, after: _after, hooks, ...rest } = house;
  const perCall = (figures: ServerFigures): object => ({
    cpuPercentPerCall: figures.stretch.cpuPercent / calls,
    mbPerCall: memoryPerCallMb(figures, calls),
  });
  return {
    house: {
      ...rest,
      ...perCall(house),
      frames: framesOf(house),
      hooks: {
        ramp: latencyOf(hooks.ramp),
        steady: latencyOf(hooks.steady),
        hangUp: latencyOf(hooks.hangUp),
        burst: latencyOf(hooks.burst),
        steadyBinned: binned,
      },
    },
    bareJson: { ...json, ...perCall(json) },
    bareScan: { ...scan, ...perCall(scan) },
  };
}

function ratio(ours: number | null, theirs: number | null): number | null {
  return ours === null || theirs === null || theirs === 0 ? null : ours / theirs;
}
