import type { Kysely, Selectable } from 'kysely';
import type { AgentPlace, AgentStore, Publication, StoredAgent } from '../../api/agents/agent-desk.ts';
import type { Page, PageQuery } from '../../api/ports.ts';
import { termsForNodes, type AgentTerms, type AgentView } from '../../events/agents.ts';
import type { CommittedEvent } from '../../events/journal.ts';
import type { Cipher } from '../cipher.ts';
import { AGENTS_VERSION, type Counters } from '../counters.ts';
import type { SqlJournal } from '../journal/journal.ts';
import { mapped, pageOf } from '../page.ts';
import type { AgentsTable, Schema } from '../schema.ts';

const SEALED = ['draft', 'published'] as const;

export interface AgentParts {
  readonly db: Kysely<Schema>;
  readonly counters: Counters;
  readonly cipher: Cipher;
  readonly journal: Pick<SqlJournal, 'appendMade'>;
}

/** Agents, their terms encrypted whole: the keys of their backends are in there. */
export class SqlAgents implements AgentStore {
  readonly #db: Kysely<Schema>;
  readonly #counters: Counters;
  readonly #cipher: Cipher;
  readonly #journal: AgentParts['journal'];

  constructor({ db, counters, cipher, journal }: AgentParts) {
    this.#db = db;
    this.#counters = counters;
    this.#cipher = cipher;
    this.#journal = journal;
  }

  async create({ id, workspaceId, testMode, draft, createdAt }: StoredAgent): Promise<void> {
    const sealed = this.#seal(id, 'draft', draft);
    const row = { id, workspace_id: workspaceId, test_mode: testMode, created_at: createdAt };
    await this.#db
      .insertInto('agents')
      .values({ ...row, draft: sealed, published: null, version: 0, published_at: null })
      .execute();
  }

  async get(place: AgentPlace, id: string): Promise<StoredAgent | undefined> {
    const row = await this.#of(place).selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : this.#agentOf(row);
  }

  async list(query: PageQuery): Promise<Page<StoredAgent>> {
    const page = await pageOf(this.#of(query).selectAll(), ['created_at', 'id'], query);
    return mapped(page, (row) => this.#agentOf(row));
  }

  async count({ workspaceId }: Pick<AgentPlace, 'workspaceId'>): Promise<number> {
    const { agents } = await this.#db
      .selectFrom('agents')
      .select((select) => select.fn.countAll<number>().as('agents'))
      .where('workspace_id', '=', workspaceId)
      .executeTakeFirstOrThrow();
    return agents;
  }

  async redraft(id: string, draft: AgentTerms): Promise<void> {
    const sealed = this.#seal(id, 'draft', draft);
    await this.#db.updateTable('agents').set({ draft: sealed }).where('id', '=', id).execute();
  }

  publish({ id, terms, publishedAt, eventOf }: Publication): Promise<readonly CommittedEvent[]> {
    const published = this.#seal(id, 'published', terms);
    return this.#journal.appendMade(async (transaction, lastOf) => {
      const row = await transaction
        .updateTable('agents')
        .set((old) => ({ published, published_at: publishedAt, version: old('version', '+', 1) }))
        .where('id', '=', id)
        .returning('version')
        .executeTakeFirst();
      if (row === undefined) return [];
      await this.#counters.raise(transaction, AGENTS_VERSION, 1);
      return [eventOf({ version: row.version, sequence: (await lastOf(id)) + 1 })];
    });
  }

  async view(): Promise<AgentView> {
    // Read first: one that is published in between is then told twice, never missed.
    const version = await this.#counters.read(this.#db, AGENTS_VERSION);
    const rows = await this.#db
      .selectFrom('agents')
      .selectAll()
      .where('published', 'is not', null)
      .orderBy('id')
      .execute();
    const agents = rows.map((row) => {
      const { id, workspaceId, testMode, version: of, published } = this.#agentOf(row);
      return { id, workspaceId, testMode, version: of, terms: termsForNodes(published!) };
    });
    return { version, agents };
  }

  /** Seals anew whatever an older key of the ring still seals; the number of agents this met. */
  async reseal(): Promise<number> {
    let resealed = 0;
    for (const row of await this.#db.selectFrom('agents').selectAll().execute()) {
      const { draft, published } = this.#agentOf(row);
      if (SEALED.every((field) => row[field] === null || this.#cipher.isNewest(row[field]))) continue;
      const fresh = {
        draft: this.#seal(row.id, 'draft', draft),
        published: published === null ? null : this.#seal(row.id, 'published', published),
      };
      await this.#db.updateTable('agents').set(fresh).where('id', '=', row.id).execute();
      resealed++;
    }
    return resealed;
  }

  #of({ workspaceId, testMode }: AgentPlace) {
    return this.#db
      .selectFrom('agents')
      .where('workspace_id', '=', workspaceId)
      .where('test_mode', '=', testMode);
  }

  #agentOf(row: Selectable<AgentsTable>): StoredAgent {
    return {
      id: row.id,
      workspaceId: row.workspace_id,
      testMode: Boolean(row.test_mode),
      draft: this.#open(row.id, 'draft', row.draft),
      published: row.published === null ? null : this.#open(row.id, 'published', row.published),
      version: row.version,
      createdAt: row.created_at,
      publishedAt: row.published_at,
    };
  }

  #seal(rowId: string, field: string, terms: AgentTerms): string {
    return this.#cipher.seal(JSON.stringify(terms), { rowId, field });
  }

  #open(rowId: string, field: string, sealed: string): AgentTerms {
    return JSON.parse(this.#cipher.open(sealed, { rowId, field })) as AgentTerms;
  }
}
