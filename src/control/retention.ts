import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Closeable } from '../base/lifetime.ts';
import { WokenRounds } from '../base/woken-rounds.ts';
import type { Store } from '../store/store.ts';

const DAY_MS = 86_400_000;
/** Events, deliveries and attempts are kept this long (contract.md §6, Log). */
const KEEP_MS = 30 * DAY_MS;
const PURGE_EVERY_MS = 60_000;
/** Where a pass found as much as it may take, there is more: the next one comes soon. */
const PURGE_ON_AFTER_MS = 50;
/** Small enough that a commit waits for no more than a moment. */
const ROWS_AT_A_TIME = 500;

/** Forgets what is older than its keeping, a little at a time. */
export class Retention implements Closeable {
  readonly #store: Pick<Store, 'purge'>;
  readonly #clock: Clock;
  readonly #rounds: WokenRounds;

  constructor(
    store: Pick<Store, 'purge'>,
    clock: Clock,
    log: { warn(fields: object, sentence: string): void },
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#rounds = new WokenRounds({
      clock,
      round: () => this.#purge(),
      failed: (error) => log.warn({ error: messageOf(error) }, 'what is old could not be purged'),
      retryMs: PURGE_EVERY_MS,
    });
    this.#rounds.wakeAfter(PURGE_EVERY_MS);
  }

  close(): Promise<void> {
    return this.#rounds.close();
  }

  async #purge(): Promise<number> {
    const beforeUnixMs = this.#clock.unixMs() - KEEP_MS;
    const purged = await this.#store.purge({ beforeUnixMs, limit: ROWS_AT_A_TIME });
    const isMore = Object.values(purged).some((rows) => rows >= ROWS_AT_A_TIME);
    return isMore ? PURGE_ON_AFTER_MS : PURGE_EVERY_MS;
  }
}
