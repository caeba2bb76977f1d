import type { Kysely } from 'kysely';
import type { Clock } from '../../base/clock.ts';
import type { Attempt, AttemptOutcome } from '../../delivery/outbox.ts';
import { FencedError } from '../../delivery/partitions/lease-table.ts';
import { Compiled, slot } from '../compiled.ts';
import { fencesThatHold, nameOf } from '../postgres/partition-leases.ts';
import type { Schema } from '../schema.ts';
import { attemptStatement, attemptValues, bodyStatement } from './attempts.ts';

interface Waiting {
  readonly attempt: Attempt;
  readonly outcome: AttemptOutcome;
  readonly done: (isKnown: boolean) => void;
  readonly failed: (error: unknown) => void;
}

interface Recorded {
  readonly known: ReadonlySet<string>;
  readonly fenced: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

type Settled =
  | 'state'
  | 'attempts'
  | 'next'
  | 'status'
  | 'error'
  | 'settled'
  | 'refusals'
  | 'aside'
  | 'names';

/** Records in one transaction; beyond it the event loop gets its turn first. */
const BATCH_MAX = 128;
const IDS_MAX = 32;

/** Runs `write` in a transaction, and may run it again where another's part of that transaction failed. */
export type Transact = <T>(write: (transaction: Kysely<Schema>) => Promise<T>) => Promise<T>;

/**
 * Writes attempts, many in one transaction: whatever has ended when it begins is committed together, since
 * beginning and committing costs more than writing. Each caller hears only when its own
 * attempt is committed, so that nothing counts as sent before it is on record.
 */
export class AttemptRecorder {
  readonly stats = { attempts: 0, orphanAttempts: 0, fencedAttempts: 0, batches: 0, splitBatches: 0 };
  readonly #db: Kysely<Schema>;
  readonly #transact: Transact;
  readonly #clock: Pick<Clock, 'unixMs'>;
  readonly #insert: ReturnType<typeof attemptStatement>;
  readonly #keepBody: ReturnType<typeof bodyStatement>;
  readonly #settleBy = new Map<number, ReturnType<typeof settleStatement>>();
  readonly #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(db: Kysely<Schema>, transact: Transact, clock: Pick<Clock, 'unixMs'>) {
    this.#db = db;
    this.#transact = transact;
    this.#clock = clock;
    this.#insert = attemptStatement(db);
    this.#keepBody = bodyStatement(db);
  }

  async record(attempt: Attempt, outcome: AttemptOutcome): Promise<void> {
    const isKnown = await new Promise<boolean>((done, failed) => {
      this.#waiting.push({ attempt, outcome, done, failed });
      this.#writing ??= this.#writeAll();
    });
    // Purged while it was on its way: there is nothing left that the attempt could belong to.
    if (isKnown) this.stats.attempts++;
    else this.stats.orphanAttempts++;
  }

  async settled(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      // After the sockets that are readable now: their answers come into the same transaction.
      await new Promise(setImmediate);
      await this.#writeBatch([]);
    }
    this.#writing = undefined;
  }

  /** An empty batch is filled when its transaction begins. */
  async #writeBatch(batch: Waiting[]): Promise<void> {
    this.stats.batches++;
    try {
      const { known, fenced } = await this.#transact((transaction) => {
        if (batch.length === 0) batch.push(...this.#waiting.splice(0, BATCH_MAX));
        return this.#write(transaction, batch);
      });
      this.stats.fencedAttempts += fenced.size;
      for (const { attempt, done, failed } of batch) {
        if (fenced.has(attempt.id)) failed(new FencedError());
        else done(known.has(attempt.id));
      }
    } catch (error) {
      // It may never have begun.
      if (batch.length === 0) batch.push(...this.#waiting.splice(0, BATCH_MAX));
      if (batch.length === 1) return batch[0]!.failed(error);
      // One of them, or the store: each by itself shows which, and nobody answers for another.
      this.stats.splitBatches++;
      for (const one of batch) await this.#writeBatch([one]);
    }
  }

  /** The attempts whose deliveries are still there, and those that are no longer ours to record. */
  async #write(transaction: Kysely<Schema>, all: readonly Waiting[]): Promise<Recorded> {
    const settledUnixMs = this.#clock.unixMs();
    const known = new Set<string>();
    const fenced = await fencedAmong(transaction, all);
    const batch = fenced.size === 0 ? all : all.filter(({ attempt }) => !fenced.has(attempt.id));
    const likewise = Map.groupBy(batch, (waiting) => JSON.stringify(settledOf(waiting, settledUnixMs)));
    for (const group of likewise.values()) {
      for (let from = 0; from < group.length; from += IDS_MAX) {
        await this.#settle(transaction, group.slice(from, from + IDS_MAX), settledUnixMs, known);
      }
    }
    for (const { attempt, outcome } of batch) {
      if (!known.has(attempt.id)) continue;
      await this.#insert.run(transaction, attemptValues(attempt, outcome));
      if (outcome.body !== undefined) {
        await this.#keepBody.run(transaction, { delivery_id: attempt.deliveryId, body: outcome.body });
      }
      await note(transaction, outcome);
    }
    return { known, fenced };
  }

  async #settle(
    transaction: Kysely<Schema>,
    group: readonly Waiting[],
    settledUnixMs: number,
    known: Set<string>,
  ): Promise<void> {
    const ids = group.map(({ attempt }) => attempt.deliveryId);
    const statement = this.#settleBy.get(ids.length) ?? settleStatement(this.#db, ids.length);
    this.#settleBy.set(ids.length, statement);
    const idValues = Object.fromEntries(ids.map((id, index) => [`id${index}`, id]));
    const { numAffectedRows = 0n } = await statement.run(transaction, {
      ...settledOf(group[0]!, settledUnixMs),
      ...idValues,
    });
    const isAll = Number(numAffectedRows) === new Set(ids).size;
    const there = isAll ? new Set(ids) : await existing(transaction, ids);
    for (const { attempt } of group) if (there.has(attempt.deliveryId)) known.add(attempt.id);
  }
}

/** Attempts of partitions that somebody else delivers by now; their rows stay ours until the commit. */
async function fencedAmong(
  transaction: Kysely<Schema>,
  batch: readonly Waiting[],
): Promise<ReadonlySet<string>> {
  const fences = batch.flatMap(({ outcome: { fence } }) => (fence === undefined ? [] : [fence]));
  if (fences.length === 0) return NONE;
  const holding = await fencesThatHold(transaction, fences);
  const isOver = ({ outcome: { fence } }: Waiting): boolean =>
    fence !== undefined && !holding.has(nameOf(fence));
  return new Set(batch.filter(isOver).map(({ attempt }) => attempt.id));
}

function settledOf({ attempt, outcome }: Waiting, settledUnixMs: number) {
  const { state, nextAttemptUnixMs, refusals = 0, isAside = false, previousUndelivered = [] } = outcome;
  const isSettled = state === 'delivered' || state === 'dead';
  return {
    state,
    attempts: attempt.number,
    next: isSettled ? null : nextAttemptUnixMs,
    status: attempt.status,
    error: attempt.errorClass,
    settled: isSettled ? settledUnixMs : null,
    refusals,
    aside: isAside,
    names: previousUndelivered.length === 0 ? null : JSON.stringify(previousUndelivered),
  };
}

async function existing(transaction: Kysely<Schema>, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await transaction.selectFrom('deliveries').select('id').where('id', 'in', ids).execute();
  return new Set(rows.map(({ id }) => id));
}

/** What later events of the resource have to name, and no longer have to. */
async function note(transaction: Kysely<Schema>, outcome: AttemptOutcome): Promise<void> {
  const { undelivered, named } = outcome;
  if (undelivered !== undefined) {
    const { endpointId, resourceId, position, eventId, isDead } = undelivered;
    await transaction
      .insertInto('undelivered')
      .values({
        endpoint_id: endpointId,
        resource_id: resourceId,
        position,
        event_id: eventId,
        is_dead: isDead,
      })
      .onConflict((conflict) =>
        conflict.columns(['endpoint_id', 'resource_id', 'position']).doUpdateSet({ is_dead: isDead }),
      )
      .execute();
  }
  if (named === undefined) return;
  await transaction
    .deleteFrom('undelivered')
    .where('endpoint_id', '=', named.endpointId)
    .where('resource_id', '=', named.resourceId)
    .where('position', 'in', named.positions)
    .execute();
}

function settleStatement(db: Kysely<Schema>, ids: number) {
  return new Compiled<Settled | `id${number}`>(
    db
      .updateTable('deliveries')
      .set({
        state: slot('state'),
        attempts: slot('attempts'),
        next_attempt_unix_ms: slot('next'),
        last_status: slot('status'),
        last_error: slot('error'),
        settled_unix_ms: slot('settled'),
        refusals: slot('refusals'),
        is_aside: slot('aside'),
        previous_undelivered: slot('names'),
      })
      .where(
        'id',
        'in',
        Array.from({ length: ids }, (_, index) => slot(`id${index}`)),
      ),
  );
}
