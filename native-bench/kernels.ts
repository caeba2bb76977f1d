import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Measured } from './kernels/measure.ts';
import { readSaved, type BenchOptions, type Report, type Table } from './report.ts';

const PROCESS = resolve(import.meta.dirname, 'kernels/process.ts');
/** MB of young generation: more than all kernels allocate between two looks at the heap. */
const SEMI_SPACE_MB = 512;
/** An event now and then, and what the machine notes down about the code; an object per frame is more. */
const PIPELINE_BYTES_MAX = 64;

interface Outcome {
  readonly measured: readonly Measured[];
  readonly failures: readonly string[];
}

/** Every function on the way of a frame: nanoseconds and bytes of a call. */
export async function benchKernels({ isSmoke }: BenchOptions): Promise<Report> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    `--min-semi-space-size=${SEMI_SPACE_MB}`,
    `--max-semi-space-size=${SEMI_SPACE_MB}`,
    '--expose-gc',
    PROCESS,
    ...(isSmoke ? ['--smoke'] : []),
  ]);
  const { measured, failures } = JSON.parse(stdout) as Outcome;
  return {
    name: 'kernels',
    tables: [tableOf(measured)],
    failures: [...failures, ...measured.flatMap(allocationFailure)],
    figures: { kernels: measured },
  };
}

/** The kernels of this report beside those that were saved: below 1 is faster now. */
export function compareKernels(report: Report): Table | undefined {
  const saved = readSaved('kernels');
  if (saved === undefined) return undefined;
  const before = new Map(kernelsOf(saved.figures).map((kernel) => [kernel.name, kernel]));
  return {
    title: `against ${saved.at.slice(0, 10)}, ${saved.machine.cpu}, node ${saved.machine.node}`,
    columns: ['kernel', 'ns then', 'ns now', 'ratio', 'bytes then', 'bytes now'],
    rows: kernelsOf(report.figures).map(({ name, nsPerCall, bytesPerCall }) => {
      const then = before.get(name);
      const ratio = then === undefined ? null : nsPerCall / then.nsPerCall;
      return [name, then?.nsPerCall ?? null, nsPerCall, ratio, then?.bytesPerCall ?? null, bytesPerCall];
    }),
  };
}

function tableOf(measured: readonly Measured[]): Table {
  return {
    title: 'per call',
    columns: ['kernel', 'ns', 'bytes', 'beside', 'ns', 'ours / it'],
    rows: measured.map(({ name, nsPerCall, bytesPerCall, peer, peerNsPerCall }) => {
      const ratio = peerNsPerCall === null ? null : nsPerCall / peerNsPerCall;
      return [name, nsPerCall, bytesPerCall, peer, peerNsPerCall, ratio];
    }),
  };
}

function allocationFailure({ name, bytesPerCall }: Measured): string[] {
  if (!name.startsWith('pipeline')) return [];
  if (bytesPerCall === null) return [`${name}: the heap shrank, so nothing was counted`];
  if (bytesPerCall <= PIPELINE_BYTES_MAX) return [];
  return [`${name} allocates ${bytesPerCall.toFixed(1)} bytes per frame, not ${PIPELINE_BYTES_MAX} at most`];
}

function kernelsOf(figures: object): readonly Measured[] {
  return (figures as { readonly kernels: readonly Measured[] }).kernels;
}
