import { sleep, type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { EventRecord } from '../events/envelope.ts';
import type { CommittedEvent, SpooledBatch } from '../events/journal.ts';
import type { LinkLog } from './link-log.ts';

const COMMIT_RECORDS_MAX = 500;
const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 2000;

/** What the link asks of the journal. */
export interface LinkJournal {
  commit(batch: SpooledBatch): Promise<readonly CommittedEvent[]>;
  cursorOf(incarnation: string): Promise<number>;
  forgetCursor(incarnation: string): Promise<void>;
}

/** What all queues of one control count together. */
export interface CommitStats {
  commits: number;
  committedRecords: number;
  failedCommits: number;
}

export interface CommitQueueOptions {
  readonly incarnation: string;
  readonly journal: LinkJournal;
  /** The journal has everything up to this record. */
  readonly onAcknowledged: (record: number) => void;
  readonly stats: CommitStats;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: LinkLog;
}

/**
 * Brings the records of one incarnation into the journal, strictly in order. What arrives while a commit
 * runs goes into the next one. A commit that fails is made again until it holds or the queue is stopped:
 * nothing is skipped. The queue itself has no limit; whoever feeds it looks at `waitingRecords` and stops
 * reading.
 */
export class CommitQueue {
  readonly #options: CommitQueueOptions;
  #waiting: EventRecord[] = [];
  #nextRecord: number;
  #running: Promise<void> | undefined;
  #isStopped = false;

  /** `nextRecord` is the number the first pushed record has. */
  constructor(nextRecord: number, options: CommitQueueOptions) {
    this.#nextRecord = nextRecord;
    this.#options = options;
  }

  /** Records that wait for the running commit to end. */
  get waitingRecords(): number {
    return this.#waiting.length;
  }

  /** Number the next pushed record must have. */
  get expectedRecord(): number {
    return this.#nextRecord + this.#waiting.length;
  }

  push(records: readonly EventRecord[]): void {
    if (this.#isStopped) return;
    for (const record of records) this.#waiting.push(record);
    this.#running ??= this.#run();
  }

  /** Resolves when everything pushed is committed, or the queue is stopped and its last commit has ended. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Lets go of what waits: it is still in the spool. */
  stop(): void {
    this.#isStopped = true;
    this.#waiting = [];
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const first = this.#nextRecord;
        const records = this.#waiting.splice(0, COMMIT_RECORDS_MAX);
        this.#nextRecord += records.length;
        await this.#commit({ incarnation: this.#options.incarnation, first, records });
      }
    } finally {
      // In the turn that found nothing waiting: a push of any later turn must start the next run.
      this.#running = undefined;
    }
  }

  async #commit(batch: SpooledBatch): Promise<void> {
    const { stats, clock, onAcknowledged } = this.#options;
    for (let delayMs = RETRY_FIRST_MS; ; delayMs = Math.min(delayMs * 2, RETRY_MAX_MS)) {
      const committed = await this.#tryCommit(batch);
      if (committed !== undefined) {
        stats.commits++;
        stats.committedRecords += committed.length;
        return onAcknowledged(batch.first + batch.records.length - 1);
      }
      if (this.#isStopped) return;
      await sleep(clock, delayMs);
      if (this.#isStopped) return;
    }
  }

  async #tryCommit(batch: SpooledBatch): Promise<readonly CommittedEvent[] | undefined> {
    const { journal, stats, log } = this.#options;
    try {
      return await journal.commit(batch);
    } catch (error) {
      stats.failedCommits++;
      const { incarnation, first, records } = batch;
      const facts = { incarnation, first, records: records.length, error: messageOf(error) };
      log.error(facts, 'events could not be committed; the link tries again');
      return undefined;
    }
  }
}
