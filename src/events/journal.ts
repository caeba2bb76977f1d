import type { AtMs } from '../base/clock.ts';
import type { CallView } from './call-view.ts';
import type { Envelope, EventRecord } from './envelope.ts';

/** An envelope with its place in the journal's commit order. */
export interface JournalEntry {
  readonly position: number;
  readonly envelope: Envelope;
}

/** A journal entry fresh from the commit, with the stamps the latency budget is made of. */
export interface CommittedEvent extends JournalEntry {
  readonly receivedAtMs: AtMs;
  readonly decidedAtMs: AtMs;
  readonly committedAtMs: AtMs;
  /** The delivery rows made for it, in the same transaction. */
  readonly deliveries: readonly CommittedDelivery[];
}

export interface CommittedDelivery {
  readonly deliveryId: string;
  readonly endpointId: string;
}

/**
 * Events of one node's spool: `records[0]` is number `first` of that incarnation, the rest follow without a
 * hole.
 */
export interface SpooledBatch {
  readonly incarnation: string;
  readonly first: number;
  readonly records: readonly EventRecord[];
}

/** What is known of an open call without a look at its events. */
export interface OpenCall {
  readonly id: string;
  /** Where it began. */
  readonly region: string;
  /** The highest number told of it. */
  readonly sequence: number;
}

export interface JournalQuery {
  readonly workspaceId: string;
  readonly testMode?: boolean;
  readonly types?: readonly string[];
  readonly resourceId?: string;
  readonly agentId?: string;
  /** Exclusive: entries after this position. */
  readonly after?: number;
  readonly limit: number;
}

/**
 * The durable list of everything that happened. One transaction commits events, delivery rows, call views
 * and the
 * link cursor; an event whose sequence is already known for its resource is skipped and counted, never
 * written twice.
 */
export interface Journal {
  /**
   * Names this journal's history: a cursor `<epoch>-<n>` of another epoch is not resumable (contract.md §8).
   */
  readonly epoch: string;
  /**
   * Commits what a node spooled; returns what was new, in commit order. Records below the cursor are
   * skipped.
   */
  commit(batch: SpooledBatch): Promise<readonly CommittedEvent[]>;
  /** Commits events that control itself caused (the reaper, tests of endpoints). */
  append(records: readonly EventRecord[]): Promise<readonly CommittedEvent[]>;
  /**
   * Commits what `make` says of a call that has started and not completed, as it stands then: nobody tells of
   * it meanwhile. Nothing where there is no such call.
   */
  finish(
    callId: string,
    make: (call: CallView) => readonly EventRecord[],
  ): Promise<readonly CommittedEvent[]>;
  /** The number of the last record of `incarnation` that is committed; 0 when none is. */
  cursorOf(incarnation: string): Promise<number>;
  /** Forgets the cursor of an incarnation whose spool is gone. */
  forgetCursor(incarnation: string): Promise<void>;
  read(query: JournalQuery): Promise<readonly JournalEntry[]>;
  /** First and last position still kept; `{first: 1, last: 0}` when empty. */
  bounds(): Promise<{ readonly first: number; readonly last: number }>;
  /** Calls of `incarnation` that have started and not completed, for the reaper. */
  openCalls(incarnation: string): Promise<readonly CallView[]>;
  /** The same, of those that may be many and are asked for again and again. */
  listOpenCalls(incarnation: string): Promise<readonly OpenCall[]>;
  /** The call, where it has started and not completed, whoever told of it last. */
  openCall(callId: string): Promise<CallView | undefined>;
  /** Incarnations that still have open calls. */
  incarnationsWithOpenCalls(): Promise<readonly string[]>;
}
