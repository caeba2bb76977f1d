import type { JournalEntry } from '../events/journal.ts';

/** What a reader of a live stream asked for (contract.md §8). */
export interface StreamQuery {
  readonly workspaceId: string;
  readonly testMode: boolean;
  /** Empty: all types. Filters as in hook endpoints. */
  readonly types: readonly string[];
  readonly callId: string | null;
  readonly agentId: string | null;
  /** `<epoch>-<n>` of the last event seen; null starts with what comes next. */
  readonly from: string | null;
}

/** One thing to tell a reader. `cursor` is what it resumes with. */
export type StreamItem =
  | { readonly type: 'event'; readonly cursor: string; readonly entry: JournalEntry }
  /**
   * What was asked for is no longer there: announced, never hidden. Positions are inclusive; null where
   * unknown.
   */
  | {
      readonly type: 'gap';
      readonly cursor: string;
      readonly from: number | null;
      readonly to: number | null;
    };

/** The reader's connection, as the hub sees it: SSE or WebSocket. */
export interface StreamSink {
  /** Bytes accepted and not yet taken by the reader. */
  readonly bufferedBytes: number;
  send(item: StreamItem): void;
  /** The reader fell too far behind, or the house is closing. */
  end(reason: 'too_slow' | 'closing'): void;
}

/**
 * Live streams out of the journal: replay what was missed, then follow, with no hole and no duplicate
 * between.
 */
export interface Streams {
  /** Starts to feed the sink; the answer stops it. */
  open(query: StreamQuery, sink: StreamSink): { close(): void };
  /** Called after every commit, in commit order. */
  publish(committed: readonly JournalEntry[]): void;
}
