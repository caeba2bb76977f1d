import { distributionOf, type Distribution } from '../load/distribution.ts';
import { faultsOf, trace, type Told } from '../scene/hook-figures.ts';
import type { LegFigures } from './crowd.ts';
import type { CallerKind } from './failover-caller.ts';
import type { FaultRun } from './fault-run.ts';
import type { Fault, Target } from './faults.ts';

/** With so many legs the figure that is judged is p99, else p95. */
const MANY_LEGS = 300;

/** What a fault cost callers of one kind. */
export interface LegsFigures {
  readonly kind: CallerKind;
  readonly legs: number;
  readonly detectMs: Distribution;
  readonly resumeMs: Distribution;
  readonly gapMs: Distribution;
  /** Of the second before the fault. */
  readonly gapBeforeMs: Distribution;
  readonly target: Target;
  /** What of the target was missed; null where nothing was asked. */
  readonly missed: readonly string[] | null;
  readonly lostCalls: number;
  readonly missingFrames: Distribution;
  readonly doubledFrames: number;
  readonly lateFrames: number;
  readonly refusedLines: number;
}

/** What of it all a hook receiver was told. */
export interface EventFigures {
  readonly placedCalls: number;
  readonly toldCalls: number;
  readonly events: number;
  readonly missing: number;
  readonly outOfOrder: number;
  readonly repeats: number;
  /** As `call_recovered` tells it. */
  readonly toldGapMs: Distribution;
}

export interface FaultFigures {
  readonly name: string;
  readonly title: string;
  readonly runs: number;
  readonly legs: readonly LegsFigures[];
  readonly events: EventFigures;
  /** Calls that changed hands although nothing was wrong with their nodes. */
  readonly movedCalls: number | null;
  readonly refusals: readonly string[];
}

export function figuresOf(fault: Fault, runs: readonly FaultRun[], told: readonly Told[]): FaultFigures {
  const legs = runs.flatMap((run) => run.legs);
  const placedCalls = runs.reduce((sum, run) => sum + run.placedCalls + run.warmCalls, 0);
  const moved = runs.flatMap(({ movedCalls }) => (movedCalls === null ? [] : [movedCalls]));
  return {
    name: fault.name,
    title: fault.title,
    runs: runs.length,
    legs: (['native', 'twilio'] as const).map((kind) =>
      legsFiguresOf(
        kind,
        legs.filter((leg) => leg.kind === kind),
        fault.targets[kind],
      ),
    ),
    events: eventFiguresOf(placedCalls, told),
    movedCalls: moved.length === 0 ? null : moved.reduce((sum, calls) => sum + calls, 0),
    refusals: runs.flatMap(({ refusals }) => refusals),
  };
}

function legsFiguresOf(kind: CallerKind, legs: readonly LegFigures[], target: Target): LegsFigures {
  const spread = (of: (leg: LegFigures) => number | null): Distribution =>
    distributionOf(legs.map(of).filter((value) => value !== null));
  const sum = (of: (leg: LegFigures) => number): number => legs.reduce((all, leg) => all + of(leg), 0);
  const detectMs = spread((leg) => leg.detectMs);
  const resumeMs = spread((leg) => leg.resumeMs);
  const gapMs = spread((leg) => leg.gapMs);
  return {
    kind,
    legs: legs.length,
    detectMs,
    resumeMs,
    gapMs,
    gapBeforeMs: spread((leg) => leg.gapBeforeMs),
    target,
    missed: missedOf(target, { detectMs, resumeMs, gapMs }),
    lostCalls: legs.filter(({ isLost }) => isLost).length,
    missingFrames: spread((leg) => leg.missingFrames),
    doubledFrames: sum((leg) => leg.doubledFrames),
    lateFrames: sum((leg) => leg.lateFrames),
    refusedLines: sum((leg) => leg.refusedLines),
  };
}

/** The figure a target is held against. */
export function judged({ count, p95, p99 }: Distribution): number | null {
  return count >= MANY_LEGS ? p99 : p95;
}

function missedOf(
  target: Target,
  figures: { readonly [Name in keyof Required<Target>]: Distribution },
): readonly string[] | null {
  const asked = Object.entries(target) as [keyof Target, number][];
  if (asked.length === 0) return null;
  return asked
    .filter(([name, limitMs]) => !((judged(figures[name]) ?? Number.POSITIVE_INFINITY) <= limitMs))
    .map(([name]) => name.slice(0, -'Ms'.length));
}

function eventFiguresOf(placedCalls: number, told: readonly Told[]): EventFigures {
  const first = trace(told, new Float64Array(told.length));
  const { callsTold: toldCalls, events, missing, outOfOrder, repeats } = faultsOf(told, first);
  const gaps = first.map(({ gapMs }) => gapMs).filter((gapMs) => gapMs !== null);
  return { placedCalls, toldCalls, events, missing, outOfOrder, repeats, toldGapMs: distributionOf(gaps) };
}

/** Off the line, or on it in another call than before. */
export function lostCallsOf({ legs, events }: Pick<FaultFigures, 'legs' | 'events'>): number {
  const offLine = legs.reduce((sum, { lostCalls }) => sum + lostCalls, 0);
  return offLine + Math.max(0, events.toldCalls - events.placedCalls);
}

/** What is broken, in sentences: none where every call went on and was told whole. */
export function brokenOf({ title, legs, events, movedCalls, refusals }: FaultFigures): string[] {
  const doubled = legs.reduce((sum, { doubledFrames }) => sum + doubledFrames, 0);
  const late = legs.reduce((sum, { lateFrames }) => sum + lateFrames, 0);
  const faults: readonly (readonly [number, string])[] = [
    [refusals.length, `calls were not let in (${refusals[0] ?? ''})`],
    [lostCallsOf({ legs, events }), 'calls were lost'],
    [doubled, 'frames were heard twice'],
    [late, 'frames were heard after later ones'],
    [events.missing, 'events were lost'],
    [events.outOfOrder, 'events came out of order'],
    [Math.max(0, events.placedCalls - events.toldCalls), 'calls were never told'],
    [movedCalls ?? 0, 'calls were moved without need'],
  ];
  return faults.filter(([count]) => count > 0).map(([count, what]) => `${title}: ${count} ${what}`);
}
