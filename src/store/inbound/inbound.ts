import type { Kysely } from 'kysely';
import type { InboundHookStore, InboundLogQuery, Page, PageQuery } from '../../api/ports.ts';
import type { Clock } from '../../base/clock.ts';
import type { InboundHook } from '../../records/inbound/inbound-hook.ts';
import type {
  DueCall,
  InboundCall,
  LoggedCall,
  Progress,
  RefusedCall,
  Taken,
} from '../../records/inbound/inbound-store.ts';
import type { Cipher } from '../cipher.ts';
import { INBOUND_VERSION, type Counters } from '../counters.ts';
import { mapped, pageOf } from '../page.ts';
import type { Schema } from '../schema.ts';
import type { SqlJournal } from '../journal/journal.ts';
import { hookOf, hookRow } from './hook-rows.ts';
import { InboundCalls } from './inbound-calls.ts';

type OnCommitted = Parameters<InboundHookStore['accept']>[1];

/** What inbound hooks are kept with. */
export interface InboundParts {
  readonly db: Kysely<Schema>;
  readonly cipher: Cipher;
  readonly clock: Clock;
  readonly journal: SqlJournal;
  readonly counters: Counters;
}

/** Inbound hooks, all of them in memory as well: who has no token is sent away without a query. */
export class SqlInbound implements InboundHookStore {
  readonly stats: InboundCalls['stats'];
  readonly #db: Kysely<Schema>;
  readonly #cipher: Cipher;
  readonly #calls: InboundCalls;
  readonly #counters: Counters;
  readonly #byId = new Map<string, InboundHook>();

  private constructor({ db, cipher, counters }: InboundParts, calls: InboundCalls) {
    this.#db = db;
    this.#cipher = cipher;
    this.#counters = counters;
    this.#calls = calls;
    this.stats = calls.stats;
  }

  static async load(parts: InboundParts): Promise<SqlInbound> {
    const { db, cipher } = parts;
    const inbound = new SqlInbound(parts, new InboundCalls(parts));
    const rows = await db.selectFrom('inbound_hooks').selectAll().execute();
    for (const row of rows) {
      const hook = hookOf(row, cipher);
      inbound.#byId.set(row.id, hook);
      // A key that left the ring must not be needed by anything.
      if (row.signature !== null && !cipher.isNewest(row.signature)) await inbound.#write(hook);
    }
    return inbound;
  }

  /** Another process that shares the database has changed one. */
  async refresh(): Promise<void> {
    const rows = await this.#db.selectFrom('inbound_hooks').selectAll().execute();
    this.#byId.clear();
    for (const row of rows) this.#byId.set(row.id, hookOf(row, this.#cipher));
  }

  find(id: string): InboundHook | undefined {
    return this.#byId.get(id);
  }

  async create(hook: InboundHook): Promise<void> {
    await this.#change((transaction) =>
      transaction.insertInto('inbound_hooks').values(hookRow(hook, this.#cipher)).execute(),
    );
    this.#byId.set(hook.id, hook);
  }

  async count(workspaceId: string): Promise<number> {
    return [...this.#byId.values()].filter((hook) => hook.workspaceId === workspaceId).length;
  }

  async list(query: PageQuery): Promise<Page<InboundHook>> {
    const matching = this.#db
      .selectFrom('inbound_hooks')
      .selectAll()
      .where('workspace_id', '=', query.workspaceId)
      .where('test_mode', '=', query.testMode);
    const page = await pageOf(matching, ['created_at', 'id'], query);
    return mapped(page, (row) => hookOf(row, this.#cipher));
  }

  async update(hook: InboundHook): Promise<void> {
    const known = this.#byId.get(hook.id);
    if (known === undefined) return;
    // At once: two rotations at a time must both see the other's keys.
    this.#byId.set(hook.id, hook);
    try {
      await this.#write(hook);
    } catch (error) {
      if (this.#byId.get(hook.id) === hook) this.#byId.set(hook.id, known);
      throw error;
    }
  }

  async remove(id: string): Promise<void> {
    const known = this.#byId.get(id);
    // First: nothing more is to be accepted for it from this moment on.
    this.#byId.delete(id);
    try {
      await this.#calls.forget(id);
      await this.#change((transaction) =>
        transaction.deleteFrom('inbound_hooks').where('id', '=', id).execute(),
      );
    } catch (error) {
      if (known !== undefined) this.#byId.set(id, known);
      throw error;
    }
  }

  accept(call: InboundCall, onCommitted: OnCommitted): Promise<Taken> {
    return this.#calls.accept(call, onCommitted);
  }

  refused(call: RefusedCall): Promise<void> {
    return this.#calls.refused(call);
  }

  log(query: InboundLogQuery): Promise<Page<LoggedCall>> {
    return this.#calls.log(query);
  }

  due(byUnixMs: number, limit: number): Promise<readonly DueCall[]> {
    return this.#calls.due(byUnixMs, limit, this.#byId);
  }

  nextDueUnixMs(): Promise<number | undefined> {
    return this.#calls.nextDueUnixMs();
  }

  progressed(id: string, progress: Progress): Promise<void> {
    return this.#calls.progressed(id, progress);
  }

  async #write(hook: InboundHook): Promise<void> {
    const { id, ...columns } = hookRow(hook, this.#cipher);
    await this.#change((transaction) =>
      transaction.updateTable('inbound_hooks').set(columns).where('id', '=', id).execute(),
    );
  }

  /** Others that share the database are told of it. */
  async #change(write: (transaction: Kysely<Schema>) => Promise<unknown>): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await write(transaction);
      await this.#counters.raise(transaction, INBOUND_VERSION, 1);
    });
  }
}
