import { Client } from 'pg';
import { expect, it, vi } from 'vitest';
import { atTheEnd, describeOnPostgres, tempPath } from '../temp-store.ts';
import { useEverything } from '../use-everything.ts';

/** Tables that grow with the traffic. */
const BIG = new Set([
  'events',
  'calls',
  'deliveries',
  'attempts',
  'sent_bodies',
  'undelivered',
  'inbound_calls',
  'inbound_keys',
  'idempotency',
]);
/** Hold only what is open, owed or due: walking them from their beginning is what they are for. */
const WALKED = new Set(['calls_open', 'deliveries_owed', 'inbound_calls_due']);

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly Plan[];
}

/** Every statement any store sends from now to the end of the test. */
function listenToStatements(): () => readonly string[] {
  const query = vi.spyOn(Client.prototype, 'query');
  atTheEnd(() => query.mockRestore());
  return () => [...new Set(query.mock.calls.map(([text]) => text))];
}

/** How a statement is carried out whatever its parameters are, where it need not read a table whole. */
async function planOf(url: string, statement: string): Promise<Plan> {
  const numbers = [...statement.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number));
  const nulls = Array.from({ length: Math.max(0, ...numbers) }, () => 'null').join(', ');
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('set enable_seqscan = off; set plan_cache_mode = force_generic_plan');
    await client.query(`prepare asked as ${statement}`);
    const run = nulls === '' ? 'asked' : `asked (${nulls})`;
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      `explain (format json) execute ${run}`,
    );
    return rows[0]!['QUERY PLAN'][0].Plan;
  } finally {
    await client.end();
  }
}

/** Where a plan reads a big table from end to end, by itself or by an index that finds nothing. */
function walksOf(plan: Plan): readonly string[] {
  const { 'Node Type': type, 'Relation Name': table = '', 'Index Name': index = '' } = plan;
  const isFound = plan['Index Cond'] !== undefined || WALKED.has(index);
  const isWalk = BIG.has(table) && (type === 'Seq Scan' || (/^Index (?:Only )?Scan/.test(type) && !isFound));
  const own = isWalk ? [`${type} on ${table} ${index}`.trim()] : [];
  return [...own, ...(plan.Plans ?? []).flatMap(walksOf)];
}

describeOnPostgres('the plan of every statement', () => {
  it('finds its rows by an index in all tables that grow', async () => {
    const statements = listenToStatements();
    const path = tempPath();
    await useEverything(path);
    const planned = statements().filter((sql) => /^(?:select|update|delete|insert|with)\b/i.test(sql.trim()));
    expect(planned.length).toBeGreaterThan(60);
    const walks: string[] = [];
    for (const sql of planned) {
      if (/pg_database|pg_advisory/.test(sql)) continue;
      for (const walk of walksOf(await planOf(path, sql))) walks.push(`${walk}: ${sql}`);
    }
    expect(walks).toEqual([]);
  });

  it('would be noticed if it walked', async () => {
    const path = tempPath();
    await useEverything(path);
    const whole = await planOf(path, `select * from events where body = $1`);
    expect(walksOf(whole)).not.toEqual([]);
    const found = await planOf(path, `select * from events where position = $1`);
    expect(walksOf(found)).toEqual([]);
  });
});
