import type { Insertable, Kysely } from 'kysely';
import type { Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import { textOf } from '../../base/json.ts';
import type { CallView } from '../../events/call-view.ts';
import type { Envelope, EventRecord } from '../../events/envelope.ts';
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
import type { DeliveriesTable, EventsTable, Schema } from '../schema.ts';
import { HotResources } from './hot-resources.ts';
import { JournalReader } from './reading.ts';
import { takeIn, type Intake } from './intake.ts';
import { commitStatements, type CommitStatements } from './statements.ts';
import { Turns } from './turns.ts';

/** Commits that may wait: nodes hold back what is not acknowledged, so a longer queue is a defect of ours. */
const WAITING_COMMITS_MAX = 1_000;
/** Open calls of one host with room to spare; a view is a few KiB. */
const HOT_RESOURCES_MAX = 10_000;

/** What the journal is built on. */
export interface JournalParts {
  readonly db: Kysely<Schema>;
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
    const written = await this.#db.transaction().execute(write);
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
      changedCalls.map((view) => rowOf(view, nowUnixMs)),
    );
    return events;
  }

  #count({ intake, skipped, hole, events }: Written): void {
    this.stats.commits++;
    this.stats.committedEvents += events.length;
    this.stats.duplicateEvents += intake.duplicates;
    this.stats.sequenceGaps += intake.gaps;
    this.stats.viewlessEvents += intake.viewless;
    this.stats.skippedRecords += skipped;
    if (hole) this.stats.spoolHoles++;
    for (const { deliveries } of events) this.stats.committedDeliveries += deliveries.length;
  }
}

function eventRow(position: number, envelope: Envelope, nowUnixMs: number): Insertable<EventsTable> {
  return {
    position,
    workspace_id: envelope.workspace_id,
    test_mode: envelope.test_mode,
    resource_id: envelope.resource.id,
    sequence: envelope.sequence,
    type: envelope.type,
    agent_id: textOf(envelope.data['agent_id']) ?? null,
    committed_unix_ms: nowUnixMs,
    body: JSON.stringify(envelope),
  };
}

function owed(
  id: string,
  endpointId: string,
  position: number,
  testMode: boolean,
  nowUnixMs: number,
): Insertable<DeliveriesTable> {
  return {
    id,
    endpoint_id: endpointId,
    event_position: position,
    test_mode: testMode,
    state: 'pending',
    attempts: 0,
    next_attempt_unix_ms: null,
    last_status: null,
    last_error: null,
    created_unix_ms: nowUnixMs,
    settled_unix_ms: null,
  };
}
