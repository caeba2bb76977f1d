import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { machineFacts, type MachineFacts } from './machine.ts';

type Cell = string | number | null;

/** Figures side by side. Numbers are printed to three digits, null as a dash. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** What one bench found. */
export interface Report {
  readonly name: string;
  readonly tables: readonly Table[];
  /** What is broken, not what is slow: with any of these the run ends non-zero. */
  readonly failures: readonly string[];
  /** The same figures for machines, as they are saved. */
  readonly figures: object;
}

/** How much of everything a run takes. */
export interface BenchOptions {
  readonly isSmoke: boolean;
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly seconds: number;
  /** Of the deliveries bench; null: at both of its loads. */
  readonly eventsPerSecond: number | null;
  /** Who has the callers of the handovers bench first; null: the one and the other. */
  readonly agent: 'native' | 'openai' | null;
  /** Of the failover bench: which faults, all where null, and how often, each its own number where null. */
  readonly faults: readonly string[] | null;
  readonly runs: number | null;
  /** Of the failover bench: every fault once, with few calls. */
  readonly isQuick: boolean;
}

/** One bench, found by its name. */
export interface Bench {
  readonly name: string;
  /** Too long for a run of everything. */
  readonly onlyByName?: true;
  readonly run: (options: BenchOptions) => Promise<Report>;
}

interface Saved {
  readonly name: string;
  readonly at: string;
  readonly machine: MachineFacts;
  readonly options: BenchOptions;
  readonly figures: object;
}

/** Prints a report as a person reads it. */
export function printReport({ name, tables, failures }: Report): void {
  console.log(`\n${name}`);
  for (const table of tables) console.log(`\n${lay(table)}`);
  for (const failure of failures) console.error(`\nBROKEN: ${failure}`);
}

/** Keeps a report as `results/<name>.json`; answers its path. */
export function saveReport({ name, figures }: Report, options: BenchOptions): string {
  const path = pathOf(name);
  const saved: Saved = { name, at: new Date().toISOString(), machine: machineFacts(), options, figures };
  mkdirSync(resolve(path, '..'), { recursive: true });
  writeFileSync(path, `${JSON.stringify(saved, null, 2)}\n`);
  return path;
}

/** The figures that were saved under a name, or undefined where nobody saved any. */
export function readSaved(name: string): Saved | undefined {
  try {
    return JSON.parse(readFileSync(pathOf(name), 'utf8')) as Saved;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function pathOf(name: string): string {
  return resolve(import.meta.dirname, 'results', `${name}.json`);
}

function lay({ title, columns, rows }: Table): string {
  const texts = [columns, ...rows.map((row) => row.map(textOf))];
  const widths = columns.map((_, column) => Math.max(...texts.map((row) => (row[column] ?? '').length)));
  const lines = texts.map((row) =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!))),
  );
  const rule = widths.map((width) => '-'.repeat(width));
  return [title, ...[lines[0]!, rule, ...lines.slice(1)].map((row) => `  ${row.join('  ')}`)].join('\n');
}

function textOf(cell: Cell): string {
  if (cell === null) return '-';
  if (typeof cell === 'string') return cell;
  if (Number.isInteger(cell) || Math.abs(cell) >= 100) return String(Math.round(cell));
  return Math.abs(cell) < 0.001 ? '0' : cell.toPrecision(3);
}
