import type { Kysely } from 'kysely';
import type { CallView } from '../../events/call-view.ts';
import type { OpenCall } from '../../events/journal.ts';
import { viewOf } from '../calls.ts';
import type { Schema } from '../schema.ts';

/** Calls that have started and not completed. Reads as of the transaction it is given, where it is one. */
export class OpenCalls {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  async of(incarnation: string): Promise<readonly CallView[]> {
    const rows = await this.#open()
      .selectAll()
      .where('incarnation', '=', incarnation)
      .orderBy('id')
      .execute();
    const views: CallView[] = [];
    for (const row of rows) views.push(await viewOf(this.#db, row));
    return views;
  }

  /** The same, without a look at their events. */
  async listOf(incarnation: string): Promise<readonly OpenCall[]> {
    const rows = await this.#open()
      .select(['id', 'view'])
      .where('incarnation', '=', incarnation)
      .orderBy('id')
      .execute();
    return rows.map(({ id, view }) => {
      const { region, sequence } = JSON.parse(view) as CallView;
      return { id, region, sequence };
    });
  }

  async get(callId: string): Promise<CallView | undefined> {
    const row = await this.#open().selectAll().where('id', '=', callId).executeTakeFirst();
    return row && viewOf(this.#db, row);
  }

  async incarnations(): Promise<readonly string[]> {
    const rows = await this.#open().select('incarnation').distinct().orderBy('incarnation').execute();
    return rows.map((row) => row.incarnation);
  }

  #open() {
    return this.#db.selectFrom('calls').where('completed_unix_ms', 'is', null);
  }
}
