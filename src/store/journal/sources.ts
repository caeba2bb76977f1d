import type { EventRecord } from '../../events/envelope.ts';
import type { SpooledBatch } from '../../events/journal.ts';
import type { Due } from './intake.ts';

/** Events as somebody hands them in: from a spool, or from within. */
export interface Source {
  readonly records: readonly EventRecord[];
  readonly link?: SpooledBatch;
}

/** What of some sources is to be committed, in their order. */
export interface Sorted {
  readonly dues: readonly Due[];
  /** Records at or below the cursor of their spool. */
  readonly skipped: number;
  /**
   * Spools that go on where they were trimmed, as when this store is younger than the node or was
   * restored.
   */
  readonly holes: number;
  /** The cursors after this. */
  readonly cursors: ReadonlyMap<string, number>;
}

/** Sorts out what is due, told where the spools of these sources stand. */
export function sortedOut(sources: readonly Source[], cursors: ReadonlyMap<string, number>): Sorted {
  const moved = new Map<string, number>();
  const dues: Due[] = [];
  let [skipped, holes] = [0, 0];
  for (const [caller, { records, link }] of sources.entries()) {
    const incarnation = link?.incarnation ?? '';
    const cursor = moved.get(incarnation) ?? cursors.get(incarnation) ?? 0;
    const past = link === undefined ? 0 : Math.min(records.length, Math.max(0, cursor + 1 - link.first));
    skipped += past;
    if (past === records.length) continue;
    for (const record of past === 0 ? records : records.slice(past)) {
      dues.push({ record, incarnation, caller });
    }
    if (link === undefined) continue;
    if (link.first > cursor + 1) holes++;
    moved.set(incarnation, link.first + records.length - 1);
  }
  return { dues, skipped, holes, cursors: moved };
}
