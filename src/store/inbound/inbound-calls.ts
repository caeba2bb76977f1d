import type { Kysely, Selectable } from 'kysely';
import type { InboundLogQuery, Page } from '../../api/ports.ts';
import type { Clock } from '../../base/clock.ts';
import { VoiceError, type FaultCode } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import { API_VERSION, type EventRecord } from '../../events/envelope.ts';
import type { CommittedEvent } from '../../events/journal.ts';
import type { PlannedCommand } from '../../records/inbound/actions.ts';
import type { InboundHook } from '../../records/inbound/inbound-hook.ts';
import type {
  ActionError,
  DueCall,
  InboundCall,
  InboundState,
  LoggedCall,
  Progress,
  RefusedCall,
  Taken,
} from '../../records/inbound/inbound-store.ts';
import { INBOUND_WORK, type Counters } from '../counters.ts';
import type { SqlJournal } from '../journal/journal.ts';
import { mapped, pageOf } from '../page.ts';
import type { InboundCallsTable, Schema } from '../schema.ts';

const KEY_KEPT_MS = 24 * 3_600_000;
/** Refused calls kept of each hook: enough to see what is wrong, however long it goes on. */
const REFUSED_MAX = 200;
/** Rows of one statement, so that forgetting a busy hook holds nobody up for long. */
const FORGET_ROWS = 500;
const DETAIL_CHARACTERS_MAX = 512;

export interface InboundCallsParts {
  readonly db: Kysely<Schema>;
  readonly clock: Clock;
  readonly journal: SqlJournal;
  readonly counters: Counters;
}

/** What strangers handed in, and what is still to be done about it. */
export class InboundCalls {
  readonly stats = { accepted: 0, duplicates: 0, refusedForgotten: 0 };
  readonly #db: Kysely<Schema>;
  readonly #parts: InboundCallsParts;

  constructor(parts: InboundCallsParts) {
    this.#db = parts.db;
    this.#parts = parts;
  }

  /** The call, its key and its events in one transaction; `onCommitted` in the very turn of the commit. */
  async accept(call: InboundCall, onCommitted: (events: readonly CommittedEvent[]) => void): Promise<Taken> {
    let duplicateOf: string | undefined;
    const committed = await this.#parts.journal.appendMade(async (transaction, lastOf) => {
      await requireHook(transaction, call.hook.id);
      duplicateOf = await this.#takeKey(transaction, call);
      if (duplicateOf !== undefined) return [];
      await this.#insert(transaction, call);
      return this.#eventsOf(call, await lastOf(call.resource.id));
    });
    onCommitted(committed);
    if (duplicateOf === undefined) this.stats.accepted++;
    else this.stats.duplicates++;
    return { callId: duplicateOf ?? call.id, isDuplicate: duplicateOf !== undefined };
  }

  async refused({ id, hookId, fault, detail }: RefusedCall): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await transaction
        .insertInto('inbound_calls')
        .values({
          id,
          hook_id: hookId,
          state: 'refused',
          received_unix_ms: this.#parts.clock.unixMs(),
          commands: null,
          done: 0,
          tries: 0,
          due_unix_ms: null,
          error_code: fault,
          error_detail: clipped(detail),
        })
        .execute();
      const { numDeletedRows } = await transaction
        .deleteFrom('inbound_calls')
        .where('id', 'in', (rows) =>
          rows
            .selectFrom('inbound_calls')
            .select('id')
            .where('hook_id', '=', hookId)
            .where('state', '=', 'refused')
            .orderBy('received_unix_ms', 'desc')
            .orderBy('id', 'desc')
            .limit(FORGET_ROWS)
            .offset(REFUSED_MAX),
        )
        .executeTakeFirstOrThrow();
      this.stats.refusedForgotten += Number(numDeletedRows);
    });
  }

  async log(query: InboundLogQuery): Promise<Page<LoggedCall>> {
    let matching = this.#db.selectFrom('inbound_calls').selectAll().where('hook_id', '=', query.hookId);
    if (query.state !== undefined) matching = matching.where('state', '=', query.state);
    return mapped(await pageOf(matching, ['received_unix_ms', 'id'], query), loggedOf);
  }

  async due(
    byUnixMs: number,
    limit: number,
    hooks: ReadonlyMap<string, InboundHook>,
  ): Promise<readonly DueCall[]> {
    const rows = await this.#db
      .selectFrom('inbound_calls')
      .selectAll()
      .where('due_unix_ms', '<=', byUnixMs)
      .orderBy('due_unix_ms')
      .orderBy('id')
      .limit(limit)
      .execute();
    return rows.flatMap((row) => {
      const hook = hooks.get(row.hook_id);
      return hook === undefined ? [] : [dueOf(row, hook)];
    });
  }

  async nextDueUnixMs(): Promise<number | undefined> {
    const next = await this.#db
      .selectFrom('inbound_calls')
      .select('due_unix_ms')
      .where('due_unix_ms', 'is not', null)
      .orderBy('due_unix_ms')
      .limit(1)
      .executeTakeFirst();
    return next?.due_unix_ms ?? undefined;
  }

  async progressed(id: string, { done, tries, error, dueUnixMs }: Progress): Promise<void> {
    const isSettled = dueUnixMs === null;
    await this.#db
      .updateTable('inbound_calls')
      .set({
        done,
        tries,
        due_unix_ms: dueUnixMs,
        error_code: error?.code ?? null,
        error_detail: error === null ? null : clipped(error.detail),
        // What it held of people is not kept for longer than it is needed.
        ...(isSettled && { state: error === null ? 'done' : 'failed', commands: null }),
      })
      .where('id', '=', id)
      .execute();
  }

  /** Everything of a hook, a little at a time. */
  async forget(hookId: string): Promise<void> {
    const passes = [
      () =>
        this.#db
          .deleteFrom('inbound_calls')
          .where('id', 'in', (rows) =>
            rows.selectFrom('inbound_calls').select('id').where('hook_id', '=', hookId).limit(FORGET_ROWS),
          ),
      () =>
        this.#db
          .deleteFrom('inbound_keys')
          .where('hook_id', '=', hookId)
          .where('key_hash', 'in', (rows) =>
            rows
              .selectFrom('inbound_keys')
              .select('key_hash')
              .where('hook_id', '=', hookId)
              .limit(FORGET_ROWS),
          ),
    ];
    for (const pass of passes) {
      for (let gone = FORGET_ROWS; gone === FORGET_ROWS;) {
        gone = Number((await pass().executeTakeFirstOrThrow()).numDeletedRows);
      }
    }
  }

  /** The call that had this key before, where it is not over. */
  async #takeKey(
    transaction: Kysely<Schema>,
    { id, hook, keyHash }: InboundCall,
  ): Promise<string | undefined> {
    if (keyHash === null) return undefined;
    const nowUnixMs = this.#parts.clock.unixMs();
    const fresh = { call_id: id, expires_unix_ms: nowUnixMs + KEY_KEPT_MS };
    const taken = await transaction
      .insertInto('inbound_keys')
      .values({ hook_id: hook.id, key_hash: keyHash, ...fresh })
      .onConflict((conflict) =>
        conflict
          .columns(['hook_id', 'key_hash'])
          .doUpdateSet(fresh)
          .where('inbound_keys.expires_unix_ms', '<=', nowUnixMs),
      )
      .returning('call_id')
      .executeTakeFirst();
    if (taken !== undefined) return undefined;
    const { call_id: first } = await transaction
      .selectFrom('inbound_keys')
      .select('call_id')
      .where('hook_id', '=', hook.id)
      .where('key_hash', '=', keyHash)
      .executeTakeFirstOrThrow();
    return first;
  }

  async #insert(transaction: Kysely<Schema>, { id, hook, plan }: InboundCall): Promise<void> {
    const nowUnixMs = this.#parts.clock.unixMs();
    const isOpen = plan.commands.length > 0;
    // Whoever carries it out may be another process.
    if (isOpen) await this.#parts.counters.raise(transaction, INBOUND_WORK, 1);
    await transaction
      .insertInto('inbound_calls')
      .values({
        id,
        hook_id: hook.id,
        state: isOpen ? 'pending' : 'done',
        received_unix_ms: nowUnixMs,
        commands: isOpen ? JSON.stringify(plan.commands) : null,
        done: 0,
        tries: 0,
        due_unix_ms: isOpen ? nowUnixMs : null,
        error_code: null,
        error_detail: null,
      })
      .execute();
  }

  #eventsOf({ id, hook, plan, resource, region }: InboundCall, lastSequence: number): readonly EventRecord[] {
    const { clock } = this.#parts;
    const nowMs = clock.nowMs();
    return plan.events.map(({ type, data }, index) => ({
      envelope: {
        id: newId('evt', clock),
        type,
        api_version: API_VERSION,
        created_at: new Date(clock.unixMs()).toISOString(),
        workspace_id: hook.workspaceId,
        resource,
        sequence: lastSequence + 1 + index,
        region,
        test_mode: hook.testMode,
        data: { ...data, inbound_webhook_id: hook.id, inbound_call_id: id },
      },
      stamps: { receivedAtMs: nowMs, decidedAtMs: nowMs },
    }));
  }
}

// Removed while the call was on its way: its row would belong to nobody.
async function requireHook(transaction: Kysely<Schema>, id: string): Promise<void> {
  const there = await transaction
    .selectFrom('inbound_hooks')
    .select('id')
    .where('id', '=', id)
    .executeTakeFirst();
  if (there === undefined) throw new VoiceError('not_found', 'there is nothing at this address');
}

function dueOf(row: Selectable<InboundCallsTable>, { workspaceId, testMode }: InboundHook): DueCall {
  const commands = JSON.parse(row.commands ?? '[]') as readonly PlannedCommand[];
  return {
    id: row.id,
    workspaceId,
    testMode,
    commands,
    done: row.done,
    tries: row.tries,
    error: errorOf(row),
  };
}

function loggedOf(row: Selectable<InboundCallsTable>): LoggedCall {
  return {
    id: row.id,
    hookId: row.hook_id,
    state: row.state as InboundState,
    receivedAt: new Date(row.received_unix_ms).toISOString(),
    tries: row.tries,
    nextTryAt: row.due_unix_ms === null ? null : new Date(row.due_unix_ms).toISOString(),
    errorCode: row.error_code,
    errorDetail: row.error_detail,
  };
}

function errorOf({
  error_code: code,
  error_detail: detail,
}: Selectable<InboundCallsTable>): ActionError | null {
  return code === null ? null : { code: code as FaultCode, detail: detail ?? '' };
}

// PostgreSQL refuses NUL in text, and a stranger wrote this.
function clipped(text: string): string {
  return text.replaceAll('\0', '\uFFFD').slice(0, DETAIL_CHARACTERS_MAX);
}
