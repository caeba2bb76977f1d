import type { Kysely } from 'kysely';
import type { Envelope, EventRecord } from '../../events/envelope.ts';
import type {
  AnalysisWork,
  CallMaterial,
  CompletedCalls,
  Told,
} from '../../records/post-call/analysis-store.ts';
import { viewOf } from '../calls.ts';
import { JOURNAL_POSITION, type Counters } from '../counters.ts';
import type { SqlJournal } from '../journal/journal.ts';
import type { Schema } from '../schema.ts';

/** Up to where every completed call is analysed. */
const CURSOR = 'analysed_position';
/** Twice what a transcript may have: the longest call is read whole, and no more. */
const EVENTS_MAX = 20_000;
const MATERIAL_TYPES = ['call_completed', 'transcript_segment', 'recording_ready'];

/** Calls that are to be analysed, as the journal tells them. */
export class SqlAnalyses implements AnalysisWork {
  readonly #db: Kysely<Schema>;
  readonly #counters: Counters;
  readonly #journal: Pick<SqlJournal, 'appendMade'>;

  constructor(db: Kysely<Schema>, counters: Counters, journal: Pick<SqlJournal, 'appendMade'>) {
    this.#db = db;
    this.#counters = counters;
    this.#journal = journal;
  }

  /** A store that is older than analyses does not tell of calls that nobody expects to hear of any more. */
  async prepare(): Promise<void> {
    const value = await this.#counters.read(this.#db, JOURNAL_POSITION);
    await this.#db
      .insertInto('counters')
      .values({ name: CURSOR, value })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute();
  }

  async cursor(): Promise<number> {
    const row = await this.#db
      .selectFrom('counters')
      .select('value')
      .where('name', '=', CURSOR)
      .executeTakeFirst();
    return row?.value ?? 0;
  }

  async moveTo(position: number): Promise<void> {
    await this.#db
      .updateTable('counters')
      .set({ value: position })
      .where('name', '=', CURSOR)
      .where('value', '<', position)
      .execute();
  }

  async completedAfter(position: number, limit: number): Promise<CompletedCalls> {
    // Read first: what is committed in between is found by the next look.
    const last = await this.#counters.read(this.#db, JOURNAL_POSITION);
    const rows = await this.#db
      .selectFrom('events')
      .select(['position', 'resource_id'])
      .where('position', '>', position)
      .where('position', '<=', last)
      .where('type', '=', 'call_completed')
      .orderBy('position')
      .limit(limit)
      .execute();
    const calls = rows.map((row) => ({ position: row.position, callId: row.resource_id }));
    return { calls, upTo: calls.length === limit ? calls.at(-1)!.position : last };
  }

  async claim(callId: string, nowUnixMs: number, untilUnixMs: number): Promise<'mine' | 'taken' | 'told'> {
    if (await isTold(this.#db, callId)) return 'told';
    const claimed = await this.#db
      .insertInto('counters')
      .values({ name: claimOf(callId), value: untilUnixMs })
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet({ value: untilUnixMs }).where('counters.value', '<=', nowUnixMs),
      )
      .returning('value')
      .executeTakeFirst();
    return claimed === undefined ? 'taken' : 'mine';
  }

  async materialOf(callId: string): Promise<CallMaterial | undefined> {
    const row = await this.#db.selectFrom('calls').selectAll().where('id', '=', callId).executeTakeFirst();
    if (row === undefined) return undefined;
    const events = await this.#db
      .selectFrom('events')
      .select('body')
      .where('resource_id', '=', callId)
      .where('type', 'in', MATERIAL_TYPES)
      .orderBy('sequence')
      .limit(EVENTS_MAX)
      .execute();
    const envelopes = events.map(({ body }) => JSON.parse(body) as Envelope);
    return { call: await viewOf(this.#db, row), envelopes };
  }

  async tell({ call }: CallMaterial, make: (lastSequence: number) => readonly EventRecord[]): Promise<Told> {
    let isChanged = false;
    const events = await this.#journal.appendMade(async (transaction, lastOf) => {
      await transaction.deleteFrom('counters').where('name', '=', claimOf(call.id)).execute();
      const row = await transaction
        .selectFrom('calls')
        .select('view')
        .where('id', '=', call.id)
        .executeTakeFirst();
      const { erased_at } = JSON.parse(row?.view ?? '{}') as { readonly erased_at?: string };
      isChanged = row === undefined || erased_at !== call.erased_at;
      if (isChanged || (await isTold(transaction, call.id))) return [];
      return make(await lastOf(call.id));
    });
    return isChanged ? { type: 'changed' } : { type: 'told', events };
  }
}

function claimOf(callId: string): string {
  return `analysing:${callId}`;
}

async function isTold(db: Kysely<Schema>, callId: string): Promise<boolean> {
  const told = await db
    .selectFrom('events')
    .select('position')
    .where('resource_id', '=', callId)
    .where('type', '=', 'call_analyzed')
    .executeTakeFirst();
  return told !== undefined;
}
