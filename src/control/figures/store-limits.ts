import type { StoreStats } from '../../store/store.ts';

/** What the limits of the store held back, and what of the nodes' events was not as it should be. */
export function storeLimits({ turns, journal, hot, outbox, connections, checkpoints }: StoreStats): {
  readonly [limit: string]: number;
} {
  return {
    waiting_commits: turns.refused,
    duplicate_events: journal.duplicateEvents,
    fenced_events: journal.fencedEvents,
    renumbered_events: journal.renumberedEvents,
    viewless_events: journal.viewlessEvents,
    spool_records_skipped: journal.skippedRecords,
    spool_holes: journal.spoolHoles,
    resources_in_memory: hot.evictions,
    hook_attempts_of_none: outbox.orphanAttempts,
    hook_attempts_fenced: outbox.fencedAttempts,
    database_connections_lost: connections.lost,
    database_statements_waiting: connections.refused,
    checkpoints_failed: checkpoints?.failures ?? 0,
    checkpoints_busy: checkpoints?.busyCheckpoints ?? 0,
  };
}
