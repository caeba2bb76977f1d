import { sleep, type Cancel, type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { entryOf, isAfter, type LaneEntry, type OutboxCursor } from './lanes/lane-entry.ts';
import type { DeliveryLog } from './observer.ts';
import type { Outbox, PendingDelivery } from './outbox.ts';

/** The lanes of an endpoint, as the backlog fills them. */
export interface BacklogTarget {
  readonly hasRoomToRead: boolean;
  knows(row: PendingDelivery): boolean;
  take(entry: LaneEntry): boolean;
}

export interface BacklogOptions {
  readonly outbox: Pick<Outbox, 'unfinished'>;
  readonly clock: Clock;
  readonly log: DeliveryLog;
  readonly targetOf: (endpointId: string) => BacklogTarget | undefined;
  readonly pageRows?: number;
  readonly sweepMs?: number;
}

interface Behind {
  /** Everything up to here is in the lanes. */
  after: OutboxCursor;
  /** An event came by while the page was being read: it may not be on it. */
  isMissed: boolean;
}

/** Before everything the outbox holds. */
export const OUTBOX_START: OutboxCursor = { position: 0, id: '' };

const PAGE_ROWS = 500;
const SWEEP_MS = 60_000;
const READ_RETRY_MS = 1_000;
// SQLite answers in microtasks only: without a pause of our own, page after page would stop the event loop.
const BETWEEN_PAGES_MS = 1;

/**
 * The way back from the outbox into memory: at the start, after a queue had overflowed, and for rows that
 * memory lost. An endpoint that is *behind* takes nothing from the live side, since that would overtake; it
 * reads on until it has read past everything that was committed meanwhile.
 */
export class Backlog {
  readonly stats = { readRows: 0, fellBehind: 0, sweptRows: 0, readFailures: 0 };
  readonly #options: BacklogOptions;
  readonly #behind = new Map<string, Behind>();
  readonly #pageRows: number;
  #catchingUp: Promise<void> | undefined;
  #isWanted = false;
  #sweepAfter = OUTBOX_START;
  #cancelSweep: Cancel | undefined;
  #isClosed = false;

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#pageRows = options.pageRows ?? PAGE_ROWS;
  }

  /** How many endpoints have part of what they are owed in the outbox alone. */
  get behind(): number {
    return this.#behind.size;
  }

  isBehind(endpointId: string): boolean {
    return this.#behind.has(endpointId);
  }

  /** From now on what follows `after` is read, not pushed. */
  fallBehind(endpointId: string, after: OutboxCursor): void {
    this.stats.fellBehind++;
    this.#behind.set(endpointId, { after, isMissed: true });
  }

  /** Something was committed for an endpoint that is behind: it will be read. */
  passBy(endpointId: string): void {
    const behind = this.#behind.get(endpointId);
    if (behind !== undefined) behind.isMissed = true;
  }

  forget(endpointId: string): void {
    this.#behind.delete(endpointId);
  }

  /** Reads until nobody with room is behind. */
  catchUp(): Promise<void> {
    this.#isWanted = true;
    this.#catchingUp ??= this.#readWhileWanted();
    return this.#catchingUp;
  }

  /** Looks for rows that memory lost, a page at a time. */
  startSweep(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = this.#options.clock.after(this.#options.sweepMs ?? SWEEP_MS, () => {
      void this.catchUp();
      void this.#sweep().then(() => {
        if (!this.#isClosed) this.startSweep();
      });
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelSweep?.();
  }

  async #readWhileWanted(): Promise<void> {
    // Asked again in the very moment that the last reader found nobody behind: read again.
    for (; this.#isWanted && !this.#isClosed; await this.#readPages()) this.#isWanted = false;
    this.#catchingUp = undefined;
  }

  async #readPages(): Promise<void> {
    while (!this.#isClosed) {
      const reading = [...this.#behind].filter(([id]) => this.#options.targetOf(id)?.hasRoomToRead === true);
      if (reading.length === 0) return;
      for (const [, behind] of reading) behind.isMissed = false;
      const after = reading.map(([, behind]) => behind.after).reduce((a, b) => (isAfter(a, b) ? b : a));
      const page = await this.#read(after);
      if (page === undefined) {
        await sleep(this.#options.clock, READ_RETRY_MS);
        continue;
      }
      const full = this.#deal(page, new Map(reading));
      for (const [id, behind] of reading) if (!full.has(id)) this.#readThrough(id, behind, page);
      await sleep(this.#options.clock, BETWEEN_PAGES_MS);
    }
  }

  /** Hands the page's rows to those who wait for them; returns who had no room for all of theirs. */
  #deal(page: readonly PendingDelivery[], reading: ReadonlyMap<string, Behind>): ReadonlySet<string> {
    const full = new Set<string>();
    for (const row of page) {
      const behind = reading.get(row.endpointId);
      // Replaced while the page was read: it begins elsewhere now.
      if (behind === undefined || this.#behind.get(row.endpointId) !== behind) continue;
      if (full.has(row.endpointId) || !isAfter(row, behind.after)) continue;
      if (this.#take(row)) {
        behind.after = { position: row.position, id: row.id };
        this.stats.readRows++;
      } else full.add(row.endpointId);
    }
    return full;
  }

  #readThrough(endpointId: string, behind: Behind, page: readonly PendingDelivery[]): void {
    const last = page.at(-1);
    if (last !== undefined && isAfter(last, behind.after)) {
      behind.after = { position: last.position, id: last.id };
    }
    const isEnd = page.length < this.#pageRows;
    // It may have been replaced meanwhile, by an endpoint that was switched off and on again.
    if (isEnd && !behind.isMissed && this.#behind.get(endpointId) === behind) this.#behind.delete(endpointId);
  }

  async #sweep(): Promise<void> {
    const after = this.#sweepAfter;
    const page = await this.#read(after);
    if (page === undefined) return;
    const last = page.at(-1);
    const isEnd = last === undefined || page.length < this.#pageRows;
    this.#sweepAfter = isEnd ? OUTBOX_START : { position: last.position, id: last.id };
    const suspects = new Set(page.filter((row) => this.#isLost(row)).map((row) => row.id));
    if (suspects.size === 0) return;
    // Read again: the first page may be older than a delivery that ended while it was read.
    for (const row of (await this.#read(after)) ?? []) {
      if (!suspects.has(row.id) || !this.#isLost(row) || !this.#take(row)) continue;
      this.stats.sweptRows++;
      this.#options.log.warn({ deliveryId: row.id, endpointId: row.endpointId }, 'delivery found again');
    }
  }

  #isLost(row: PendingDelivery): boolean {
    const target = this.#options.targetOf(row.endpointId);
    if (target === undefined || target.knows(row)) return false;
    const behind = this.#behind.get(row.endpointId);
    return behind === undefined || !isAfter(row, behind.after);
  }

  #take(row: PendingDelivery): boolean {
    return this.#options.targetOf(row.endpointId)?.take(entryOf(row, this.#options.clock)) ?? false;
  }

  async #read(after: OutboxCursor): Promise<readonly PendingDelivery[] | undefined> {
    try {
      return await this.#options.outbox.unfinished(after, this.#pageRows);
    } catch (error) {
      this.stats.readFailures++;
      this.#options.log.error({ detail: messageOf(error) }, 'outbox not read');
      return undefined;
    }
  }
}
