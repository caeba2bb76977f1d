import { sql, type Kysely } from 'kysely';
import { isSelected } from '../../events/catalogue.ts';
import type { Envelope } from '../../events/envelope.ts';
import type { JournalEntry, JournalQuery } from '../../events/journal.ts';
import { Compiled, slot } from '../compiled.ts';
import { JOURNAL_POSITION, type Counters } from '../counters.ts';
import type { Schema } from '../schema.ts';

/** Events that an index holds in order: of one workspace and mode, of a type, of an agent. */
interface Strand {
  readonly testMode: boolean;
  readonly type?: string;
  readonly agentId?: string;
}

type Slot = 'workspace' | 'mode' | 'type' | 'agent' | 'after' | 'upTo' | 'limit';

/**
 * Reads the journal in pages. A filter is taken apart into strands, each of which an index holds in the order
 * of positions; the page is merged from their beginnings, so it costs the same however rare its events are.
 */
export class JournalReader {
  readonly #db: Kysely<Schema>;
  readonly #counters: Counters;
  readonly #strands: { readonly [shape in 'all' | 'type' | 'agent']: Compiled<Slot, { position: number }> };

  constructor(db: Kysely<Schema>, counters: Counters) {
    this.#db = db;
    this.#counters = counters;
    this.#strands = {
      all: strandStatement(db, []),
      type: strandStatement(db, ['type']),
      agent: strandStatement(db, ['agent', 'type']),
    };
  }

  async read(query: JournalQuery): Promise<readonly JournalEntry[]> {
    if (query.resourceId !== undefined) return this.#ofResource(query, query.resourceId);
    // First: an event committed between two strands would else be passed over by the cursor.
    let upTo = await this.#counters.read(this.#db, JOURNAL_POSITION);
    let positions: number[] = [];
    for (const strand of await this.#strandsOf(query)) {
      const found = await this.#positionsIn(query, strand, upTo);
      positions = [...positions, ...found].sort((a, b) => a - b).slice(0, query.limit);
      // What lies behind a full page is of no use to it.
      if (positions.length === query.limit) upTo = positions.at(-1)!;
    }
    return positions.length === 0 ? [] : this.#entriesAt(positions);
  }

  async #strandsOf({ workspaceId, testMode, types = [], agentId }: JournalQuery): Promise<readonly Strand[]> {
    const modes = testMode === undefined ? [false, true] : [testMode];
    const isEveryType = types.length === 0 || types.includes('*');
    if (isEveryType && agentId === undefined) return modes.map((testMode) => ({ testMode }));
    const strands: Strand[] = [];
    for (const testMode of modes) {
      const present = await typesPresent(this.#db, workspaceId, {
        testMode,
        ...(agentId !== undefined && { agentId }),
      });
      for (const type of present) {
        if (!isSelected(type, types)) continue;
        strands.push({ testMode, type, ...(agentId !== undefined && { agentId }) });
      }
    }
    return strands;
  }

  async #positionsIn(query: JournalQuery, strand: Strand, upTo: number): Promise<readonly number[]> {
    const { testMode, type, agentId } = strand;
    const shape = agentId !== undefined ? 'agent' : type !== undefined ? 'type' : 'all';
    const { rows } = await this.#strands[shape].run(this.#db, {
      workspace: query.workspaceId,
      mode: testMode,
      type: type ?? '',
      agent: agentId ?? '',
      after: query.after ?? 0,
      upTo,
      limit: query.limit,
    });
    return rows.map(({ position }) => position);
  }

  async #entriesAt(positions: readonly number[]): Promise<readonly JournalEntry[]> {
    const rows = await this.#db
      .selectFrom('events')
      .select(['position', 'body'])
      .where('position', 'in', positions)
      .orderBy('position')
      .execute();
    return rows.map(entryOf);
  }

  /** Of one resource: they are few, so the rest of the filter is looked for among them. */
  async #ofResource(query: JournalQuery, resourceId: string): Promise<readonly JournalEntry[]> {
    let matching = this.#db
      .selectFrom('events')
      .select(['position', 'body', 'type'])
      .where('workspace_id', '=', query.workspaceId)
      .where('position', '>', query.after ?? 0)
      // As a subquery: wanting the order of positions, a planner without statistics walks the workspace.
      .where('position', 'in', (where) =>
        where.selectFrom('events').select('position').where('resource_id', '=', resourceId),
      );
    if (query.testMode !== undefined) matching = matching.where('test_mode', '=', query.testMode);
    if (query.agentId !== undefined) matching = matching.where('agent_id', '=', query.agentId);
    const types = query.types ?? [];
    if (types.length > 0 && !types.includes('*')) {
      matching = matching.where((where) => where.or(types.map((filter) => typeIs(filter))));
    }
    const rows = await matching.orderBy('position').limit(query.limit).execute();
    return rows.map(entryOf);
  }
}

function strandStatement(db: Kysely<Schema>, by: readonly ('agent' | 'type')[]) {
  let strand = db
    .selectFrom('events')
    .select('position')
    .where('workspace_id', '=', slot('workspace'))
    .where('test_mode', '=', slot('mode'));
  if (by.includes('agent')) strand = strand.where('agent_id', '=', slot('agent'));
  if (by.includes('type')) strand = strand.where('type', '=', slot('type'));
  return new Compiled<Slot, { position: number }>(
    strand
      .where('position', '>', slot('after'))
      .where('position', '<=', slot('upTo'))
      .orderBy('position')
      .limit(slot('limit')),
  );
}

/** The types there are, each found by a leap over the one before it. */
async function typesPresent(
  db: Kysely<Schema>,
  workspaceId: string,
  { testMode, agentId }: Strand,
): Promise<readonly string[]> {
  const byAgent = agentId === undefined ? sql`` : sql`and agent_id = ${agentId}`;
  const within = sql`from events where workspace_id = ${workspaceId} and test_mode = ${testMode} ${byAgent}`;
  const { rows } = await sql<{ type: string }>`
    with recursive present(type) as (
      select * from (select type ${within} order by type limit 1) as first
      union all
      select (select type ${within} and type > present.type order by type limit 1)
      from present where present.type is not null
    )
    select type from present where type is not null`.execute(db);
  return rows.map(({ type }) => type);
}

function entryOf({ position, body }: { readonly position: number; readonly body: string }): JournalEntry {
  return { position, envelope: JSON.parse(body) as Envelope };
}

/** The filter grammar of `isSelected`, in SQL. `_` is a wildcard of LIKE, so it is escaped. */
function typeIs(filter: string) {
  if (!filter.endsWith('.*')) return sql<boolean>`type = ${filter}`;
  const family = filter.slice(0, -2).replaceAll(/[\\%_]/g, String.raw`\$&`);
  const [dotted, joined] = [`${family}.%`, String.raw`${family}\_%`];
  return sql<boolean>`(type like ${dotted} escape '\\' or type like ${joined} escape '\\')`;
}
