import type { TranscriptSegment } from '../../events/call-commands/transcript.ts';
import type { CallView } from '../../events/call-view.ts';

/** A part of a transcript, as its event has told it. */
export interface ToldSegment extends TranscriptSegment {
  /** Of the event that told it. */
  readonly sequence: number;
  readonly at: string;
  /** Whose line it was heard on; null where nobody has said. */
  readonly legId: string | null;
}

export interface TranscriptPage {
  readonly segments: readonly ToldSegment[];
  /** Null where there is no more. */
  readonly nextCursor: string | null;
}

/** What is left of calls, as the API may use it. */
export interface PostCallDesk {
  /** In the order it was written down; `cursor` is one a page before has named. */
  transcript(call: CallView, page: { cursor: string | undefined; limit: number }): Promise<TranscriptPage>;
  /**
   * Erases recordings, words and numbers of a call that is over; ids and times stay. Throws
   * `failed_precondition` while one of its recordings is still being written.
   */
  erase(call: CallView): Promise<void>;
}
