import type { Kysely } from 'kysely';
import { JOURNAL_POSITION, type Counters } from '../counters.ts';
import type { SqlEndpoints } from '../endpoints.ts';
import type { Schema } from '../schema.ts';

/** Events of others that are looked through for what they changed; after more everything is read anew. */
const CATCH_UP_EVENTS_MAX = 1_000;

/** What the lead is taken with. */
export interface LeadParts {
  readonly counters: Counters;
  readonly endpoints: SqlEndpoints;
  /** Asked inside a commit: stays as it is while nobody else writes, where that can be known. */
  readonly writesOfOthers: () => number | undefined;
}

/** Where a commit begins. */
export interface Standing {
  readonly last: number;
  /** Resources that others have written to since the last commit here; undefined for nobody knows which. */
  readonly changed: readonly string[] | undefined;
  readonly ofOthers: number | undefined;
}

/**
 * The lock on the positions, which orders the commits of a fleet, and where the last commit here left
 * them.
 */
export class Lead {
  readonly #parts: LeadParts;
  /** After the last commit here; undefined before the first. */
  #last: number | undefined;
  /** What others had written by then; undefined where nobody knows. */
  #ofOthers: number | undefined;

  constructor(parts: LeadParts) {
    this.#parts = parts;
  }

  /** Tells what has changed: by another process, or by a commit of ours whose answer never came. */
  async take(transaction: Kysely<Schema>): Promise<Standing> {
    const { counters, endpoints, writesOfOthers } = this.#parts;
    const known = this.#last;
    const ofOthers = writesOfOthers();
    if (known !== undefined && ofOthers !== undefined && ofOthers === this.#ofOthers) {
      return { last: known, changed: [], ofOthers };
    }
    const last = await counters.raise(transaction, JOURNAL_POSITION, 0);
    await endpoints.refresh(transaction);
    if (known === last) return { last, changed: [], ofOthers };
    if (known === undefined || last < known || last - known > CATCH_UP_EVENTS_MAX) {
      return { last, changed: undefined, ofOthers };
    }
    const others = await transaction
      .selectFrom('events')
      .select('resource_id')
      .distinct()
      .where('position', '>', known)
      .where('position', '<=', last)
      .execute();
    return { last, changed: others.map(({ resource_id: id }) => id), ofOthers };
  }

  /** After a commit that began at `standing` and wrote so many events. */
  keep({ last, ofOthers }: Standing, events: number): void {
    this.#last = last + events;
    this.#ofOthers = ofOthers;
  }

  /** After a commit that failed: whether it is written after all is asked next time. */
  doubt(): void {
    this.#ofOthers = undefined;
  }
}
