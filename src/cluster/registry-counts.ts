/** A look for orphans finds no more than this; the next one finds the rest. */
export const ORPHANS_MAX = 256;

/** What a registry counts, for `/metrics`. */
export class RegistryCounts {
  /** A save with a greater token replaced another owner's record: two nodes took themselves for the owner. */
  conflicts = 0;
  /** Questions the registry did not answer, or not in time. */
  unanswered = 0;
  /** Questions not even asked, because the last ones had no answer. */
  unasked = 0;
  /** Records dropped because there were too many. */
  droppedRecords = 0;
  /** Answers that were none of ours. */
  unreadable = 0;
}
