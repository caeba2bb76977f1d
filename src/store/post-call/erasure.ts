import type { Kysely } from 'kysely';
import type { CallView } from '../../events/call-view.ts';
import type { Envelope } from '../../events/envelope.ts';
import { erasedData, erasedView } from '../../events/erased.ts';
import type { SqlJournal } from '../journal/journal.ts';
import type { Schema } from '../schema.ts';

const ROWS_AT_A_TIME = 500;

/** Rewrites the history of calls so that ids and times stay, and nobody's number or words. */
export class SqlErasure {
  readonly stats = { erasedCalls: 0 };
  readonly #journal: Pick<SqlJournal, 'appendMade'>;

  constructor(journal: Pick<SqlJournal, 'appendMade'>) {
    this.#journal = journal;
  }

  /** A call that is over. Asked for again, it erases what was told since. */
  async erase(callId: string, at: string): Promise<void> {
    // In the journal's turn: no event of the call is committed meanwhile.
    await this.#journal.appendMade(async (transaction) => {
      await eraseView(transaction, callId, at);
      const positions = await eraseEvents(transaction, callId);
      await eraseDeliveries(transaction, positions);
      return [];
    });
    this.stats.erasedCalls++;
  }
}

async function eraseView(db: Kysely<Schema>, callId: string, at: string): Promise<void> {
  const row = await db.selectFrom('calls').select('view').where('id', '=', callId).executeTakeFirst();
  if (row === undefined) return;
  const view = erasedView(JSON.parse(row.view) as CallView, at);
  await db
    .updateTable('calls')
    .set({ from_number: null, to_number: null, view: JSON.stringify(view) })
    .where('id', '=', callId)
    .execute();
}

async function eraseEvents(db: Kysely<Schema>, callId: string): Promise<readonly number[]> {
  const positions: number[] = [];
  for (let after = 0; ;) {
    const rows = await db
      .selectFrom('events')
      .select(['position', 'sequence', 'body'])
      .where('resource_id', '=', callId)
      .where('sequence', '>', after)
      .orderBy('sequence')
      .limit(ROWS_AT_A_TIME)
      .execute();
    for (const { position, body } of rows) {
      const envelope = JSON.parse(body) as Envelope;
      const erased = JSON.stringify({ ...envelope, data: erasedData(envelope.data) });
      await db.updateTable('events').set({ body: erased }).where('position', '=', position).execute();
      positions.push(position);
    }
    if (rows.length < ROWS_AT_A_TIME) return positions;
    after = rows.at(-1)!.sequence;
  }
}

/** What was kept of hooks: bodies as they were sent, and answers that may repeat them. */
async function eraseDeliveries(db: Kysely<Schema>, positions: readonly number[]): Promise<void> {
  const endpoints = await db.selectFrom('endpoints').select('id').execute();
  for (const { id } of endpoints) {
    for (let from = 0; from < positions.length; from += ROWS_AT_A_TIME) {
      const within = positions.slice(from, from + ROWS_AT_A_TIME);
      const owned = db
        .selectFrom('deliveries')
        .select('id')
        .where('endpoint_id', '=', id)
        .where('test_mode', 'in', [false, true])
        .where('event_position', 'in', within);
      await db.deleteFrom('sent_bodies').where('delivery_id', 'in', owned).execute();
      await db.updateTable('attempts').set({ response_body: '' }).where('delivery_id', 'in', owned).execute();
    }
  }
}
