import type { Insertable, Kysely } from 'kysely';
import { sleep, type AtMs, type Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import type { CallView } from '../../events/call-view.ts';
import type { EventRecord } from '../../events/envelope.ts';
import type {
  CommittedEvent,
  Journal,
  JournalEntry,
  JournalQuery,
  OpenCall,
  SpooledBatch,
} from '../../events/journal.ts';
import { rowOf } from '../calls.ts';
import { JOURNAL_POSITION, linkCursor } from '../counters.ts';
import type { DeliveriesTable, Schema } from '../schema.ts';
import { HotResources } from './hot-resources.ts';
import { Lead, type LeadParts, type Standing } from './lead.ts';
import { OpenCalls } from './open-calls.ts';
import { JournalReader } from './reading.ts';
import { takeIn, type Intake } from './intake.ts';
import { eventRow, owed } from './rows.ts';
import { sortedOut, type Sorted, type Source } from './sources.ts';
import { commitStatements, type CommitStatements } from './statements.ts';
import { Turns } from './turns.ts';

/** Commits that may wait: nodes hold back what is not acknowledged, so a longer queue is a defect of ours. */
const WAITING_COMMITS_MAX = 1_000;
/** Callers in one transaction; each brings a few events. */
const GROUP_MAX = 64;
/** Open calls of one host with room to spare; a view is a few KiB. */
const HOT_RESOURCES_MAX = 10_000;

/** What the journal is built on. */
export interface JournalParts extends LeadParts {
  readonly db: Kysely<Schema>;
  /** Where commits are written; `db` is for reading. */
  readonly commits: Kysely<Schema>;
  readonly clock: Clock;
  readonly epoch: string;
  /** From one transaction's begin to the next, under load: what comes meanwhile has one together. */
  readonly spacingMs: number;
}

/** What one transaction wrote. */
interface Written {
  readonly sorted: Sorted;
  readonly intake: Intake;
  readonly events: readonly Made[];
}

/** An event as it was written, and whose it is. */
interface Made {
  readonly caller: number;
  readonly event: Omit<CommittedEvent, 'committedAtMs'>;
}

interface Committed extends Written {
  readonly committedAtMs: AtMs;
}

/** Who shares a transaction with others. */
type Member = { readonly failed: (error: unknown) => void } & (
  | { readonly source: Source; readonly committed: (events: readonly CommittedEvent[]) => void }
  /** Answers what is to be called once it is committed. */
  | { readonly write: (transaction: Kysely<Schema>) => Promise<() => void> }
);

/** Makes the events of a commit inside of it. */
export type EventMaker = (
  transaction: Kysely<Schema>,
  lastOf: (resourceId: string) => Promise<number>,
) => Promise<readonly EventRecord[]>;

/** The journal in SQL. */
export class SqlJournal implements Journal {
  readonly stats = {
    commits: 0,
    committedEvents: 0,
    committedDeliveries: 0,
    duplicateEvents: 0,
    fencedEvents: 0,
    renumberedEvents: 0,
    sequenceGaps: 0,
    skippedRecords: 0,
    spoolHoles: 0,
    viewlessEvents: 0,
    splitCommits: 0,
  };
  readonly turns = new Turns<Member>({
    waitingMax: WAITING_COMMITS_MAX,
    groupMax: GROUP_MAX,
    pause: () => this.#pause(),
    together: (group) => this.#commitTogether(group),
  });
  readonly hot = new HotResources(HOT_RESOURCES_MAX);
  readonly epoch: string;
  readonly #db: Kysely<Schema>;
  readonly #parts: JournalParts;
  readonly #statements: CommitStatements;
  readonly #reader: JournalReader;
  readonly #openCalls: OpenCalls;
  readonly #cursors = new Map<string, number>();
  readonly #lead: Lead;
  #begunAtMs: AtMs | undefined;

  constructor(parts: JournalParts) {
    this.epoch = parts.epoch;
    this.#db = parts.db;
    this.#parts = parts;
    this.#statements = commitStatements(parts.db);
    this.#reader = new JournalReader(parts.db, parts.counters);
    this.#openCalls = new OpenCalls(parts.db);
    this.#lead = new Lead(parts);
  }

  commit(batch: SpooledBatch): Promise<readonly CommittedEvent[]> {
    return this.#share({ records: batch.records, link: batch });
  }

  append(records: readonly EventRecord[]): Promise<readonly CommittedEvent[]> {
    return this.#share({ records });
  }

  /** Writes something else in the transaction of the next commit, or in one of its own where none waits. */
  along<T>(write: (transaction: Kysely<Schema>) => Promise<T>): Promise<T> {
    return new Promise((done, failed) => {
      const written = async (transaction: Kysely<Schema>): Promise<() => void> => {
        const value = await write(transaction);
        return () => done(value);
      };
      this.#join({ write: written, failed });
    });
  }

  /**
   * Commits events together with what `make` writes beside them in the same transaction. It is told the last
   * sequence of a resource, and nobody else takes a number meanwhile.
   */
  appendMade(make: EventMaker): Promise<readonly CommittedEvent[]> {
    return this.turns.take(async () => {
      const written = await this.#commit(async (transaction) => {
        const lastOf = async (resourceId: string): Promise<number> => {
          const resources = await this.hot.gather(transaction, new Set([resourceId]));
          return resources.get(resourceId)!.lastSequence;
        };
        const records = await make(transaction, lastOf);
        return records.length === 0 ? undefined : this.#writeIn(transaction, [{ records }]);
      });
      return this.#eventsOf(written, 0);
    });
  }

  finish(
    callId: string,
    make: (call: CallView) => readonly EventRecord[],
  ): Promise<readonly CommittedEvent[]> {
    return this.appendMade(async (transaction) => {
      const call = await new OpenCalls(transaction).get(callId);
      return call === undefined ? [] : make(call);
    });
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

  openCalls(incarnation: string): Promise<readonly CallView[]> {
    return this.#openCalls.of(incarnation);
  }

  listOpenCalls(incarnation: string): Promise<readonly OpenCall[]> {
    return this.#openCalls.listOf(incarnation);
  }

  openCall(callId: string): Promise<CallView | undefined> {
    return this.#openCalls.get(callId);
  }

  incarnationsWithOpenCalls(): Promise<readonly string[]> {
    return this.#openCalls.incarnations();
  }

  #share(source: Source): Promise<readonly CommittedEvent[]> {
    if (source.records.length === 0) return Promise.resolve([]);
    return new Promise((committed, failed) => this.#join({ source, committed, failed }));
  }

  #join(member: Member): void {
    const refusal = this.turns.join(member);
    if (refusal !== undefined) member.failed(refusal);
  }

  /** None after a while of quiet. */
  async #pause(): Promise<void> {
    const { clock, spacingMs } = this.#parts;
    const waitMs = (this.#begunAtMs ?? -Infinity) + spacingMs - clock.nowMs();
    if (waitMs > 0) await sleep(clock, waitMs);
    this.#begunAtMs = clock.nowMs();
  }

  async #commitTogether(group: readonly Member[]): Promise<void> {
    try {
      await this.#commitAll(group);
    } catch (error) {
      // The database itself: each of them would but wait for it anew.
      if (group.length === 1 || error instanceof VoiceError) {
        for (const { failed } of group) failed(error);
        return;
      }
      // One of them: each by itself shows which, and nobody answers for another.
      this.stats.splitCommits++;
      for (const member of group) await this.#commitTogether([member]);
    }
  }

  async #commitAll(group: readonly Member[]): Promise<void> {
    const sources = group.flatMap((member) => ('source' in member ? [member] : []));
    const others = group.flatMap((member) => ('write' in member ? [member] : []));
    const ended: (() => void)[] = [];
    const written = await this.#commit(async (transaction) => {
      const told = sources.map(({ source }) => source);
      const events = told.length === 0 ? undefined : await this.#writeIn(transaction, told);
      for (const other of others) ended.push(await other.write(transaction));
      return events;
    });
    for (const [caller, { committed }] of sources.entries()) committed(this.#eventsOf(written, caller));
    for (const end of ended) end();
  }

  async #commit(
    write: (transaction: Kysely<Schema>) => Promise<Written | undefined>,
  ): Promise<Committed | undefined> {
    const { standing, written } = await this.#parts.commits
      .transaction()
      .execute(async (transaction) => {
        const standing = await this.#lead.take(transaction);
        this.#unlearn(standing);
        return { standing, written: await write(transaction) };
      })
      .catch((error: unknown) => {
        this.#lead.doubt();
        throw error;
      });
    this.#lead.keep(standing, written?.events.length ?? 0);
    if (written === undefined) return undefined;
    // Memory follows the database, never the other way: a transaction that failed left no trace here.
    const committedAtMs = this.#parts.clock.nowMs();
    this.hot.keep(written.intake.resources);
    for (const [incarnation, cursor] of written.sorted.cursors) this.#cursors.set(incarnation, cursor);
    this.#count(written);
    return { ...written, committedAtMs };
  }

  /** What is known of spools and resources, but no longer true. */
  #unlearn({ changed }: Standing): void {
    if (changed === undefined) this.hot.forgetAll();
    else this.hot.forget(changed);
    if (changed?.length !== 0) this.#cursors.clear();
  }

  async #writeIn(transaction: Kysely<Schema>, sources: readonly Source[]): Promise<Written> {
    const sorted = sortedOut(sources, await this.#cursorsIn(transaction, sources));
    const intake = await takeIn(transaction, this.hot, sorted.dues);
    const events = await this.#insert(transaction, intake);
    for (const [incarnation, cursor] of sorted.cursors) {
      await this.#parts.counters.set(transaction, linkCursor(incarnation), cursor);
    }
    return { sorted, intake, events };
  }

  async #cursorsIn(
    transaction: Kysely<Schema>,
    sources: readonly Source[],
  ): Promise<ReadonlyMap<string, number>> {
    const cursors = new Map<string, number>();
    for (const { link } of sources) {
      if (link === undefined || cursors.has(link.incarnation)) continue;
      const known = this.#cursors.get(link.incarnation);
      const cursor = known ?? (await this.#parts.counters.read(transaction, linkCursor(link.incarnation)));
      cursors.set(link.incarnation, cursor);
    }
    return cursors;
  }

  async #insert(transaction: Kysely<Schema>, intake: Intake): Promise<Written['events']> {
    const { fresh, changedCalls } = intake;
    if (fresh.length === 0) return [];
    const { clock, counters, endpoints } = this.#parts;
    const nowUnixMs = clock.unixMs();
    const last = await counters.raise(transaction, JOURNAL_POSITION, fresh.length);
    const deliveryRows: Insertable<DeliveriesTable>[] = [];
    const events = fresh.map(({ record: { envelope, stamps }, caller }, index) => {
      const position = last - fresh.length + 1 + index;
      const deliveries = endpoints.wanting(envelope).map((endpoint) => {
        const deliveryId = newId('dlv', clock);
        deliveryRows.push(owed(deliveryId, endpoint.id, position, envelope.test_mode, nowUnixMs));
        return { deliveryId, endpointId: endpoint.id };
      });
      return { caller, event: { position, envelope, ...stamps, deliveries } };
    });
    await this.#statements.insertEvents.run(
      transaction,
      events.map(({ event }) => eventRow(event.position, event.envelope, nowUnixMs)),
    );
    await this.#statements.insertDeliveries.run(transaction, deliveryRows);
    await this.#statements.upsertCalls.run(
      transaction,
      changedCalls.map(({ view, fence }) => rowOf(view, fence, nowUnixMs)),
    );
    return events;
  }

  #eventsOf(committed: Committed | undefined, caller: number): readonly CommittedEvent[] {
    if (committed === undefined) return [];
    const { events, committedAtMs } = committed;
    return events.flatMap((made) => (made.caller === caller ? [{ ...made.event, committedAtMs }] : []));
  }

  #count({ sorted, intake, events }: Written): void {
    if (sorted.dues.length > 0) this.stats.commits++;
    this.stats.committedEvents += events.length;
    this.stats.duplicateEvents += intake.duplicates;
    this.stats.fencedEvents += intake.fenced;
    this.stats.renumberedEvents += intake.renumbered;
    this.stats.sequenceGaps += intake.gaps;
    this.stats.viewlessEvents += intake.viewless;
    this.stats.skippedRecords += sorted.skipped;
    this.stats.spoolHoles += sorted.holes;
    for (const { event } of events) this.stats.committedDeliveries += event.deliveries.length;
  }
}
