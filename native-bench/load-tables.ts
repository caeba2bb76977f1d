import type { Distribution } from './load/distribution.ts';
import type { LoadFigures } from './load/callers.ts';
import type { Table } from './report.ts';
import type { BinnedLatency } from './scene/exposition.ts';
import type { HookFaults } from './scene/hook-figures.ts';
import type { ServerFigures } from './scene/phases.ts';

/** Beyond these the machine was not quiet enough to measure by. */
const LATE_P99_MS_MAX = 5;
const FOREIGN_PERCENT_MAX = 10;

type Rows<T> = readonly (readonly [name: string, figures: T])[];

export function audioTable(rows: Rows<LoadFigures>): Table {
  return {
    title: 'audio round trip, ms (from the write of a frame to its echo)',
    columns: ['phase', 'frames', 'p50', 'p95', 'p99', 'max', 'lost', 'wrong'],
    rows: rows.map(([name, { roundTripMs: ms, echoedFrames, lostFrames, wrongFrames }]) => [
      name,
      echoedFrames,
      ms.p50,
      ms.p95,
      ms.p99,
      ms.max,
      lostFrames,
      wrongFrames,
    ]),
  };
}

/** `binned` is what `/metrics` says of the steady stretch; a control that was killed in it has forgotten. */
export function hookTable(rows: Rows<Distribution>, binned: BinnedLatency | undefined): Table {
  return {
    title: 'hook propagation, ms (from the write of what caused it to the last byte at the receiver)',
    columns: ['phase', 'hooks', 'p50', 'p99', 'p99.9', 'max'],
    rows: [
      ...rows.map(([name, ms]) => [name, ms.count, ms.p50, ms.p99, ms.p999, ms.max]),
      ...(binned === undefined
        ? []
        : [['steady, by /metrics (binned)', binned.count, binned.p50Ms, binned.p99Ms, binned.p999Ms, null]]),
    ],
  };
}

export function costTable(rows: Rows<ServerFigures>, calls: number): Table {
  return {
    title: `cost at ${calls} calls (CPU in percent of a core; memory beyond idle)`,
    columns: [
      'server',
      'CPU %',
      'CPU % / call',
      'MB idle',
      'MB / call',
      'loop p50',
      'loop p99',
      'loop max ms',
    ],
    rows: rows.map(([name, figures]) => [
      name,
      figures.stretch.cpuPercent,
      figures.stretch.cpuPercent / calls,
      figures.residentIdleMb,
      memoryPerCallMb(figures, calls),
      figures.loopDelay.p50Ms,
      figures.loopDelay.p99Ms,
      figures.loopDelay.maxMs,
    ]),
  };
}

/** What the machine did meanwhile: whether the figures above may be believed. */
export function noiseTable(rows: Rows<ServerFigures>): Table {
  return {
    title: 'the machine meanwhile (load: how late it sent; foreign: who was not ours; cores 0 and 1)',
    columns: [
      'stretch',
      'load p50',
      'p99',
      'max ms',
      'ours % 1',
      'foreign % 0',
      'foreign % 1',
      'stolen %',
      'verdict',
    ],
    rows: rows.map(([name, { steady, stretch }]) => [
      name,
      steady.lateMs.p50,
      steady.lateMs.p99,
      steady.lateMs.max,
      stretch.othersCpuPercent,
      stretch.foreignCpuPercent?.measuredCore ?? null,
      stretch.foreignCpuPercent?.otherCore ?? null,
      stretch.stolenPercent,
      verdictOn({ steady, stretch }),
    ]),
  };
}

export function faultTable(faults: HookFaults, connections: number): Table {
  const { callsTold, events, repeats, outOfOrder, missing, untraced } = faults;
  return {
    title: 'hooks, all phases',
    columns: ['calls', 'events', 'repeats', 'out of order', 'missing', 'untraced', 'connections'],
    rows: [[String(callsTold), events, repeats, outOfOrder, missing, untraced, connections]],
  };
}

export function memoryPerCallMb(figures: ServerFigures, calls: number): number {
  return (figures.residentLoadedMb - figures.residentIdleMb) / calls;
}

/** One promise, and what came of it. A miss on a noisy machine is no failure, so none is made of it. */
export function targetRow(name: string, found: number | null, limit: number | null): Table['rows'][number] {
  return [name, found, limit, limit === null || found === null ? '' : found <= limit ? 'kept' : 'MISSED'];
}

/** What contract.md §6 promises of hooks, in the steady stretch. */
export function hookTargets(steady: Distribution): Table['rows'] {
  return [
    targetRow('hook propagation p99, ms', steady.p99, 20),
    targetRow('hook propagation p99.9, ms', steady.p999, 200),
  ];
}

export const TARGET_COLUMNS = ['what', 'found', 'at most', ''];

/** What is broken in what a receiver was told. */
export function hookFailures(faults: HookFaults, calls: number): string[] {
  const { callsTold, outOfOrder, missing, untraced } = faults;
  const failures: string[] = [];
  if (callsTold !== calls) failures.push(`hooks of ${callsTold} calls instead of ${calls}`);
  if (missing > 0) failures.push(`${missing} hooks are missing`);
  if (outOfOrder > 0) failures.push(`${outOfOrder} hooks came out of order`);
  if (untraced > 0) failures.push(`${untraced} hooks tell of something nobody did`);
  return failures;
}

function verdictOn({ steady, stretch }: Pick<ServerFigures, 'steady' | 'stretch'>): string {
  const foreign = stretch.foreignCpuPercent;
  if (foreign === null) return 'not pinned';
  if ((steady.lateMs.p99 ?? 0) > LATE_P99_MS_MAX) return 'noisy: load late';
  if (Math.max(foreign.measuredCore, foreign.otherCore) > FOREIGN_PERCENT_MAX) return 'noisy: others';
  return stretch.stolenPercent > FOREIGN_PERCENT_MAX ? 'noisy: stolen' : 'quiet';
}
