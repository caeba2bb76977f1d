import { rmSync } from 'node:fs';
import { sleep, type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { CommitQueue, type CommitQueueOptions } from './commit-queue.ts';
import type { LinkLog } from './link-log.ts';
import { newbornPathOf, peerPathOf } from './places.ts';
import { clearSpool, recoverSpool, removeSpool, type SpoolDamage } from './spool/recovery.ts';

const RETRY_MS = 500;
const WAITING_RECORDS_MAX = 500;

export interface NodeBurialOptions {
  readonly incarnation: string;
  readonly socketPath: string;
  readonly spoolDir: string;
  readonly queue: Omit<CommitQueueOptions, 'incarnation' | 'onAcknowledged' | 'clock' | 'log'>;
  /** Everything the node accepted is committed: now its calls can be ended. */
  readonly onNodeDead: (incarnation: string) => Promise<void>;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: LinkLog;
}

/** What control owes a dead node: the rest of its spool, a word to the reaper, and a clean place. */
export class NodeBurial {
  readonly #options: NodeBurialOptions;
  #rest: CommitQueue | undefined;
  #isStopped = false;

  constructor(options: NodeBurialOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is left of the node, or when stopped; then the next control begins again. */
  async run(): Promise<void> {
    const { incarnation, onNodeDead } = this.#options;
    await this.#untilDone(() => this.#commitRest());
    await this.#untilDone(() => onNodeDead(incarnation));
    await this.#untilDone(() => this.#clear());
  }

  stop(): void {
    this.#isStopped = true;
    this.#rest?.stop();
  }

  async #commitRest(): Promise<void> {
    const { incarnation, spoolDir, queue } = this.#options;
    const cursor = await queue.journal.cursorOf(incarnation);
    let rest = this.#openRest(cursor + 1);
    for (const { number, record } of recoverSpool(spoolDir, cursor, (damage) => this.#tell(damage))) {
      const isHole = number !== rest.expectedRecord;
      if (isHole || rest.waitingRecords >= WAITING_RECORDS_MAX) await rest.idle();
      if (isHole) rest = this.#openRest(number);
      if (this.#isStopped) break;
      rest.push([record]);
    }
    await rest.idle();
  }

  #openRest(first: number): CommitQueue {
    const { incarnation, queue, clock, log } = this.#options;
    this.#rest = new CommitQueue(first, { ...queue, incarnation, clock, log, onAcknowledged: () => {} });
    return this.#rest;
  }

  // In this order: a control that dies in between finds the directory and comes here again, with nothing
  // left to commit and a cursor that is either still right or no longer needed.
  async #clear(): Promise<void> {
    const { incarnation, spoolDir, socketPath, queue } = this.#options;
    clearSpool(spoolDir);
    await queue.journal.forgetCursor(incarnation);
    removeSpool(spoolDir);
    rmSync(newbornPathOf(socketPath), { force: true });
    rmSync(peerPathOf(socketPath), { force: true });
    rmSync(socketPath, { force: true });
  }

  #tell(damage: SpoolDamage): void {
    const { incarnation, log } = this.#options;
    if (damage.isTornTail)
      log.info({ ...damage, incarnation }, 'the last write of a dead node was cut short');
    else log.error({ ...damage, incarnation }, 'a spool is damaged: events are lost');
  }

  async #untilDone(step: () => Promise<void>): Promise<void> {
    const { incarnation, clock, log } = this.#options;
    while (!this.#isStopped) {
      try {
        return await step();
      } catch (error) {
        log.error(
          { incarnation, error: messageOf(error) },
          'a dead node could not be buried; control tries again',
        );
        await sleep(clock, RETRY_MS);
      }
    }
  }
}
