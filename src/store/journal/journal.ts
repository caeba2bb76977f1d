import type { Insertable, Kysely } from 'kysely';
import type { Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import type { CallView } from '../../events/call-view.ts';
import type { EventRecord } from '../../events/envelope.ts';
import type {
  CommittedEvent,
  Journal,
  JournalEntry,
  JournalQuery,
  SpooledBatch,
} from '../../events/journal.ts';
import { rowOf, viewOf } from '../calls.ts';
import { JOURNAL_POSITION, linkCursor, type Counters } from '../counters.ts';
import type { SqlEndpoints } from '../endpoints.ts';
import type { DeliveriesTable, Schema } from '../schema.ts';
import { HotResources } from './hot-resources.ts';
import { JournalReader } from './reading.ts';
import { takeIn, type Intake } from './intake.ts';
import { eventRow, owed } from './rows.ts';
import { commitStatements, type CommitStatements } from './statements.ts';
import { Turns } from './turns.ts';

/** Commits that may wait: nodes hold back what is not acknowledged, so a longer queue is a defect of ours. */
const WAITING_COMMITS_MAX = 1_000;
/** Open calls of one host with room to spare; a view is a few KiB. */
const HOT_RESOURCES_MAX = 10_000;

/** Events of others that are looked through for what they changed; after more everything is read anew. */
const CATCH_UP_EVENTS_MAX = 1_000;

/** What the journal is built on. */
export interface JournalParts {
  readonly db: Kysely<Schema>;
  /** Where commits are written; `db` is for reading. */
  readonly commits: Kysely<Schema>;
  /** Asked inside a commit: stays as it is while nobody else writes, where that can be known. */
  readonly writesOfOthers: () => number | undefined;
  readonly clock: Clock;
  readonly epoch: string;
  readonly counters: Counters;
  readonly endpoints: SqlEndpoints;
}

/** What one transaction wrote. */
interface Written {
  readonly intake: Intake;
  readonly skipped: number;
  readonly hole: boolean;
  readonly cursor: number | undefined;
  readonly events: readonly Omit<CommittedEvent, 'committedAtMs'>[];
}

/** Makes the events of a commit inside of it. */
export type EventMaker = (
  transaction: Kysely<Schema>,
  lastOf: (resourceId: string) => Promise<number>,
) => Promise<readonly EventRecord[]>;

type Source = { readonly records: readonly EventRecord[]; readonly link?: SpooledBatch };

/** The journal in SQL. */
export class SqlJournal implements Journal {
  readonly stats = {
    commits: 0,
    committedEvents: 0,
    committedDeliveries: 0,
    duplicateEvents: 0,
    fencedEvents: 0,
    sequenceGaps: 0,
    skippedRecords: 0,
    spoolHoles: 0,
    viewlessEvents: 0,
  };
  readonly turns = new Turns(WAITING_COMMITS_MAX);
  readonly hot = new HotResources(HOT_RESOURCES_MAX);
  readonly epoch: string;
  readonly #db: Kysely<Schema>;
  readonly #parts: JournalParts;
  readonly #statements: CommitStatements;
  readonly #reader: JournalReader;
  readonly #cursors = new Map<string, number>();
  /** After the last commit here; undefined before the first. */
  #lastPosition: number | undefined;
  /** What others had written by then; undefined where nobody knows. */
  #seenOfOthers: number | undefined;

  constructor(parts: JournalParts) {
    this.epoch = parts.epoch;
    this.#db = parts.db;
    this.#parts = parts;
    this.#statements = commitStatements(parts.db);
    this.#reader = new JournalReader(parts.db, parts.counters);
  }

  commit(batch: SpooledBatch): Promise<readonly CommittedEvent[]> {
    return this.turns.take(() => this.#write({ records: batch.records, link: batch }));
  }

  append(records: readonly EventRecord[]): Promise<readonly CommittedEvent[]> {
    return this.turns.take(() => this.#write({ records }));
  }

  /**
   * Commits events together with what `make` writes beside them in the same transaction. It is told the last
   * sequence of a resource, and nobody else takes a number meanwhile.
   */
  appendMade(make: EventMaker): Promise<readonly CommittedEvent[]> {
    return this.turns.take(() =>
      this.#commit(async (transaction) => {
        const lastOf = async (resourceId: string): Promise<number> => {
          const resources = await this.hot.gather(transaction, new Set([resourceId]));
          return resources.get(resourceId)!.lastSequence;
        };
        const records = await make(transaction, lastOf);
        return records.length === 0 ? undefined : this.#writeIn(transaction, { records });
      }),
    );
  }

  async cursorOf(incarnation: string): Promise<number> {
    return this.#parts.counters.read(this.#db, linkCursor(incarnation));
  }

  async forgetCursor(incarnation: string): Promise<void> {
    // In turn: a commit of that incarnation still under way would bring it back.
    await this.turns.take(async () => {
      await this.#parts.counters.forget(linkCursor(incarnation));
      this.#cursors.delete(incarnation);
    });
  }

  read(query: JournalQuery): Promise<readonly JournalEntry[]> {
    return this.#reader.read(query);
  }

  /** After a purge of everything `last` still is the last position given: nothing is kept, but it was. */
  async bounds(): Promise<{ readonly first: number; readonly last: number }> {
    const last = await this.#parts.counters.read(this.#db, JOURNAL_POSITION);
    const oldest = await this.#db
      .selectFrom('events')
      .select('position')
      .where('position', '>', 0)
      .orderBy('position')
      .limit(1)
      .executeTakeFirst();
    return { first: oldest === undefined ? last + 1 : oldest.position, last };
  }

  async openCalls(incarnation: string): Promise<readonly CallView[]> {
    const rows = await this.#db
      .selectFrom('calls')
      .selectAll()
      .where('incarnation', '=', incarnation)
      .where('completed_unix_ms', 'is', null)
      .orderBy('id')
      .execute();
    const views: CallView[] = [];
    for (const row of rows) views.push(await viewOf(this.#db, row));
    return views;
  }

  async incarnationsWithOpenCalls(): Promise<readonly string[]> {
    const rows = await this.#db
      .selectFrom('calls')
      .select('incarnation')
      .distinct()
      .where('completed_unix_ms', 'is', null)
      .orderBy('incarnation')
      .execute();
    return rows.map((row) => row.incarnation);
  }

  async #write(source: Source): Promise<readonly CommittedEvent[]> {
    if (source.records.length === 0) return [];
    let isSkipped = false;
    const committed = await this.#commit(async (transaction) => {
      const written = await this.#writeIn(transaction, source);
      isSkipped = written === undefined;
      return written;
    }, source.link);
    if (isSkipped) this.stats.skippedRecords += source.records.length;
    return committed;
  }

  async #commit(
    write: (transaction: Kysely<Schema>) => Promise<Written | undefined>,
    link?: SpooledBatch,
  ): Promise<readonly CommittedEvent[]> {
    const { before, written } = await this.#parts.commits
      .transaction()
      .execute(async (transaction) => {
        const before = await this.#takeLead(transaction);
        return { before, written: await write(transaction) };
      })
      .catch((error: unknown) => {
        // Whether it is written after all is asked next time.
        this.#seenOfOthers = undefined;
        throw error;
      });
    this.#lastPosition = before + (written?.events.length ?? 0);
    if (written === undefined) return [];
    // Memory follows the database, never the other way: a transaction that failed left no trace here.
    const committedAtMs = this.#parts.clock.nowMs();
    this.hot.keep(written.intake.resources);
    if (link !== undefined && written.cursor !== undefined) {
      this.#cursors.set(link.incarnation, written.cursor);
    }
    this.#count(written);
    return written.events.map((event) => ({ ...event, committedAtMs }));
  }

  /**
   * Takes the lock on the positions, which orders the commits of a fleet, and unlearns what has changed since
   * the last commit here: by another process, or by a commit of ours whose answer never came.
   */
  async #takeLead(transaction: Kysely<Schema>): Promise<number> {
    const ofOthers = this.#parts.writesOfOthers();
    const isAlone = ofOthers !== undefined && ofOthers === this.#seenOfOthers;
    if (isAlone && this.#lastPosition !== undefined) return this.#lastPosition;
    this.#seenOfOthers = ofOthers;
    const last = await this.#parts.counters.raise(transaction, JOURNAL_POSITION, 0);
    await this.#parts.endpoints.refresh(transaction);
    const known = this.#lastPosition;
    if (known === last) return last;
    this.#cursors.clear();
    if (known === undefined || last < known || last - known > CATCH_UP_EVENTS_MAX) {
      this.hot.forgetAll();
      return last;
    }
    const others = await transaction
      .selectFrom('events')
      .select('resource_id')
      .distinct()
      .where('position', '>', known)
      .where('position', '<=', last)
      .execute();
    this.hot.forget(others.map(({ resource_id: id }) => id));
    return last;
  }

  /** Undefined where every record is below the cursor. */
  async #writeIn(transaction: Kysely<Schema>, { records, link }: Source): Promise<Written | undefined> {
    const cursor = link === undefined ? 0 : await this.#cursorIn(transaction, link.incarnation);
    const skipped = link === undefined ? 0 : Math.max(0, cursor + 1 - link.first);
    const due = skipped === 0 ? records : records.slice(skipped);
    if (due.length === 0) return undefined;
    const intake = await takeIn(transaction, this.hot, due, link?.incarnation ?? '');
    const events = await this.#insert(transaction, intake);
    let moved: number | undefined;
    if (link !== undefined) {
      moved = link.first + records.length - 1;
      await this.#parts.counters.set(transaction, linkCursor(link.incarnation), moved);
    }
    // A spool goes on where it was trimmed, also when this store is younger than the node or was restored.
    const hole = link !== undefined && link.first > cursor + 1;
    return { intake, skipped, hole, cursor: moved, events };
  }

  async #cursorIn(transaction: Kysely<Schema>, incarnation: string): Promise<number> {
    const known = this.#cursors.get(incarnation);
    return known ?? this.#parts.counters.read(transaction, linkCursor(incarnation));
  }

  async #insert(transaction: Kysely<Schema>, intake: Intake): Promise<Written['events']> {
    const { fresh, changedCalls } = intake;
    if (fresh.length === 0) return [];
    const { clock, counters, endpoints } = this.#parts;
    const nowUnixMs = clock.unixMs();
    const last = await counters.raise(transaction, JOURNAL_POSITION, fresh.length);
    const deliveryRows: Insertable<DeliveriesTable>[] = [];
    const events = fresh.map(({ envelope, stamps }, index) => {
      const position = last - fresh.length + 1 + index;
      const deliveries = endpoints.wanting(envelope).map((endpoint) => {
        const deliveryId = newId('dlv', clock);
        deliveryRows.push(owed(deliveryId, endpoint.id, position, envelope.test_mode, nowUnixMs));
        return { deliveryId, endpointId: endpoint.id };
      });
      return { position, envelope, ...stamps, deliveries };
    });
    await this.#statements.insertEvents.run(
      transaction,
      events.map(({ position, envelope }) => eventRow(position, envelope, nowUnixMs)),
    );
    await this.#statements.insertDeliveries.run(transaction, deliveryRows);
    await this.#statements.upsertCalls.run(
      transaction,
      changedCalls.map(({ view, fence }) => rowOf(view, fence, nowUnixMs)),
    );
    return events;
  }

  #count({ intake, skipped, hole, events }: Written): void {
    this.stats.commits++;
    this.stats.committedEvents += events.length;
    this.stats.duplicateEvents += intake.duplicates;
    this.stats.fencedEvents += intake.fenced;
    this.stats.sequenceGaps += intake.gaps;
    this.stats.viewlessEvents += intake.viewless;
    this.stats.skippedRecords += skipped;
    if (hole) this.stats.spoolHoles++;
    for (const { deliveries } of events) this.stats.committedDeliveries += deliveries.length;
  }
}
