import { sleep, type Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { DeliveryLog } from '../observer.ts';
import type { OwedEvent } from '../outbox.ts';

/** The journal as a reader behind its end sees it. */
export interface FeedSource {
  /** The last position that was given out. */
  last(): Promise<number>;
  /** Events after `after` in the order of positions, and what is owed of those that `isOurs`. */
  following(
    after: number,
    limit: number,
    isOurs: (resourceId: string) => boolean,
  ): Promise<readonly OwedEvent[]>;
}

export interface FleetFeedOptions {
  readonly source: FeedSource;
  readonly isOurs: (resourceId: string) => boolean;
  /** Takes every event of the fleet, once, in the order of positions and without a hole. */
  readonly publish: (events: readonly OwedEvent[]) => void;
  readonly clock: Clock;
  readonly log: DeliveryLog;
}

const PAGE_EVENTS = 200;
/** Events of our own that wait for those before them; one that finds no room is read back like the others. */
const OWN_MAX = 2_000;
const READ_RETRY_MS = 500;

/**
 * All events of a fleet as one process hears them. What it committed itself goes on in the same turn, where
 * nobody else committed in between; else what is missing is read first, so that the order is the journal's.
 */
export class FleetFeed {
  readonly stats = { direct: 0, read: 0, readFailures: 0, forgottenOwn: 0 };
  readonly #options: FleetFeedOptions;
  readonly #own = new Map<number, OwedEvent>();
  /** Everything up to here was published; undefined before the start. */
  #position: number | undefined;
  /** There is something up to here. */
  #wanted = 0;
  #reading: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: FleetFeedOptions) {
    this.#options = options;
  }

  /** From what comes next on. */
  async start(): Promise<void> {
    this.#position = await this.#options.source.last();
    this.heard(this.#wanted);
  }

  /** Committed by this process, in commit order. */
  committed(events: readonly OwedEvent[]): void {
    const first = events[0]?.position;
    const last = events.at(-1)?.position;
    if (first === undefined || last === undefined) return;
    const isNext = this.#position !== undefined && first === this.#position + 1;
    if (isNext && last - first === events.length - 1 && this.#reading === undefined) {
      this.#position = last;
      this.stats.direct += events.length;
      return this.#options.publish(events);
    }
    for (const event of events) {
      if (this.#own.size < OWN_MAX) this.#own.set(event.position, event);
      else this.stats.forgottenOwn++;
    }
    this.heard(last);
  }

  /** Somebody committed up to here. */
  heard(position: number): void {
    this.#wanted = Math.max(this.#wanted, position);
    if (this.#position === undefined || this.#wanted <= this.#position || this.#isClosed) return;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
      this.heard(0);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reading;
  }

  async #read(): Promise<void> {
    const { source, isOurs, publish, clock, log } = this.#options;
    while (!this.#isClosed && this.#position !== undefined && this.#wanted > this.#position) {
      try {
        const upTo = this.#wanted;
        const page = await source.following(this.#position, PAGE_EVENTS, isOurs);
        // Beyond a page that is not full there is nothing, whatever was purged before it.
        const last = page.at(-1)?.position ?? upTo;
        this.#position = page.length < PAGE_EVENTS ? Math.max(last, upTo) : last;
        this.stats.read += page.length;
        publish(page.map((event) => this.#own.get(event.position) ?? event));
        this.#forgetOwn(this.#position);
      } catch (error) {
        this.stats.readFailures++;
        log.warn({ detail: messageOf(error) }, 'events of the fleet not read');
        await sleep(clock, READ_RETRY_MS);
      }
    }
  }

  #forgetOwn(upTo: number): void {
    for (const position of this.#own.keys()) if (position <= upTo) this.#own.delete(position);
  }
}
