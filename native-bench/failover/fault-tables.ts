import type { Table } from '../report.ts';
import { judged, lostCallsOf, type FaultFigures, type LegsFigures } from './fault-figures.ts';
import type { Target } from './faults.ts';

type Column<Row> = readonly [name: string, of: (row: Row) => Table['rows'][number][number]];

interface LegsRow extends LegsFigures {
  readonly title: string;
}

const LEG_COLUMNS: readonly Column<LegsRow>[] = [
  ['fault', ({ title }) => title],
  ['caller', ({ kind }) => kind],
  ['legs', ({ legs }) => legs],
  ['notice p50', ({ detectMs }) => detectMs.p50],
  ['p95', ({ detectMs }) => detectMs.p95],
  ['max', ({ detectMs }) => detectMs.max],
  ['resume p50', ({ resumeMs }) => resumeMs.p50],
  ['p95', ({ resumeMs }) => resumeMs.p95],
  ['max', ({ resumeMs }) => resumeMs.max],
  ['gap p50', ({ gapMs }) => gapMs.p50],
  ['p95', ({ gapMs }) => gapMs.p95],
  // One leg in a hundred is none where there are few.
  ['p99', ({ gapMs }) => (judged(gapMs) === gapMs.p99 ? gapMs.p99 : null)],
  ['max', ({ gapMs }) => gapMs.max],
  ['before max', ({ gapBeforeMs }) => gapBeforeMs.max],
  ['target', ({ target }) => targetText(target)],
  ['', ({ missed }) => verdictOf(missed)],
];

const sum = (legs: readonly LegsFigures[], of: (one: LegsFigures) => number): number =>
  legs.reduce((total, one) => total + of(one), 0);

const CALL_COLUMNS: readonly Column<FaultFigures>[] = [
  ['fault', ({ title }) => title],
  ['runs', ({ runs }) => runs],
  ['calls, with warm-up', ({ events }) => events.placedCalls],
  ['lost', lostCallsOf],
  ['moved', ({ movedCalls }) => movedCalls],
  ['frames twice', ({ legs }) => sum(legs, ({ doubledFrames }) => doubledFrames)],
  ['late', ({ legs }) => sum(legs, ({ lateFrames }) => lateFrames)],
  ['events', ({ events }) => events.events],
  ['lost', ({ events }) => events.missing],
  ['out of order', ({ events }) => events.outOfOrder],
  ['told again', ({ events }) => events.repeats],
  ['gap told p50', ({ events }) => events.toldGapMs.p50],
  ['max ms', ({ events }) => events.toldGapMs.max],
];

/** What each fault was to those at the line. */
export function legsTable(all: readonly FaultFigures[]): Table {
  const rows = all.flatMap(({ title, legs }) => legs.map((figures) => ({ title, ...figures })));
  return tableOf('legs: line missed, back in its call, silence at the caller, in ms', LEG_COLUMNS, rows);
}

/** Whether anything was lost or came twice. */
export function callsTable(all: readonly FaultFigures[]): Table {
  return tableOf('calls, frames and events', CALL_COLUMNS, all);
}

function tableOf<Row>(title: string, columns: readonly Column<Row>[], rows: readonly Row[]): Table {
  return {
    title,
    columns: columns.map(([name]) => name),
    rows: rows.map((row) => columns.map(([, of]) => of(row))),
  };
}

/** Notice / resume / gap, as far as something is asked. */
function targetText({ detectMs, resumeMs, gapMs }: Target): string {
  return [detectMs, resumeMs, gapMs].map((limitMs) => limitMs ?? '–').join(' / ');
}

function verdictOf(missed: readonly string[] | null): string {
  if (missed === null) return '';
  const named = missed.map((name) => (name === 'detect' ? 'notice' : name));
  return named.length === 0 ? 'met' : `MISSED ${named.join(', ')}`;
}
