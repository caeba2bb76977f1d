import type { CallSnapshot } from '../../call/snapshot/call-snapshot.ts';

/** A snapshot as it is saved, and whether all its events found room in it. */
export interface SnapshotText {
  readonly text: string;
  readonly isCut: boolean;
}

/**
 * The snapshot in at most `bytesMax` of JSON: of its events the oldest, for what follows them must not come
 * before them. What is too large without any is returned as it is, for its reader to refuse.
 */
export function snapshotText(saved: CallSnapshot, bytesMax: number): SnapshotText {
  const text = JSON.stringify(saved);
  if (Buffer.byteLength(text) <= bytesMax) return { text, isCut: false };
  const bareBytes = Buffer.byteLength(JSON.stringify({ ...saved, events: [] }));
  const events = oldestWithin(saved.events, bytesMax - bareBytes);
  return { text: JSON.stringify({ ...saved, events }), isCut: events.length < saved.events.length };
}

function oldestWithin<T>(items: readonly T[], bytesMax: number): readonly T[] {
  let bytes = 0;
  const fitting = items.findIndex((item) => {
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    return bytes > bytesMax;
  });
  return fitting < 0 ? items : items.slice(0, fitting);
}
