import type { TimelineEntry } from '../../events/call-view.ts';
import type { SavedEntry } from './call-snapshot.ts';

/** Of a long story the beginning: a snapshot is written at every event, and the journal has them all. */
const ENTRIES_SAVED_MAX = 128;

/** The timeline in few bytes: instants count from the start of the call, legs are named by their place. */
export function saveTimeline(
  timeline: readonly TimelineEntry[],
  startedAt: string,
  memberIds: readonly string[],
): readonly SavedEntry[] {
  const startedUnixMs = Date.parse(startedAt);
  return timeline.slice(0, ENTRIES_SAVED_MAX).map(({ sequence, type, at, leg_id }) => {
    const offsetMs = Date.parse(at) - startedUnixMs;
    const place = leg_id === undefined ? -1 : memberIds.indexOf(leg_id);
    return place < 0 ? [sequence, type, offsetMs] : [sequence, type, offsetMs, place];
  });
}

export function restoreTimeline(
  saved: readonly SavedEntry[],
  startedAt: string,
  memberIds: readonly string[],
): readonly TimelineEntry[] {
  const startedUnixMs = Date.parse(startedAt);
  return saved.map(([sequence, type, offsetMs, place]) => {
    const entry = { sequence, type, at: new Date(startedUnixMs + offsetMs).toISOString() };
    const legId = place === undefined ? undefined : memberIds[place];
    return legId === undefined ? entry : { ...entry, leg_id: legId };
  });
}
