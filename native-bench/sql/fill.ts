import { closeSync, fsyncSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';

export const WORKSPACE = 'ws_default';
/** The endpoints of a filled store: three that are on, one that was switched off with a tenth of it unsent. */
export const ENDPOINTS = ['whk_1', 'whk_2', 'whk_3', 'whk_off'] as const;
export const EVENTS_PER_CALL = 50;
export const RARE_TYPE = 'custom.rare';
export const RARE_AGENT = 'agent_rare';

/** What is committed before this is old enough to be purged. */
export const OLD_UNIX_MS = 1_000_000;

const BODY_BYTES = 300;
const ROWS_AT_A_TIME = 200_000;

/** The id of the call that event `n` (from 1) belongs to. */
export function callOf(n: number): string {
  return `call_${String(Math.floor((n - 1) / EVENTS_PER_CALL)).padStart(12, '0')}`;
}

/** What the two engines write differently. */
interface Words {
  readonly no: string;
  /** A whole number with leading zeros. */
  readonly padded: (number: string, digits: number) => string;
}

const SQLITE: Words = { no: '0', padded: (number, digits) => `printf('%0${digits}d', ${number})` };
const POSTGRES: Words = {
  no: 'false',
  padded: (number, digits) => `lpad((${number})::text, ${digits}, '0')`,
};

/**
 * Fills a store that is closed, and has its endpoints, with so many events, deliveries and attempts: one of
 * each for every event. One in a thousand deliveries is dead; the last thousand are owed.
 */
export function fillSqlite(path: string, rows: number): void {
  const database = new DatabaseSync(path);
  // Nobody else is there, and what is lost by a crash is made again.
  database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000');
  database.exec('PRAGMA foreign_keys = OFF; PRAGMA locking_mode = EXCLUSIVE');
  for (const statement of filling(rows, SQLITE)) database.exec(statement);
  database.close();
  // The files keep the mode: the store opens them with a WAL again.
  settle(path);
}

/** The same on PostgreSQL, by its owner; its statistics are fresh afterwards, as its own vacuum keeps them. */
export async function fillPostgres(url: string, rows: number): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('set session_replication_role = replica; set synchronous_commit = off');
    for (const statement of filling(rows, POSTGRES)) await client.query(statement);
    for (const table of ['events', 'deliveries', 'attempts']) await client.query(`vacuum analyze ${table}`);
    await client.query('checkpoint');
  } finally {
    await client.end();
  }
}

function* filling(rows: number, words: Words): Generator<string> {
  for (let from = 1; from <= rows; from += ROWS_AT_A_TIME) {
    const upTo = Math.min(rows, from + ROWS_AT_A_TIME - 1);
    yield 'BEGIN';
    yield* statements({ from, upTo, rows }, words);
    yield 'COMMIT';
  }
  yield `update counters set value = ${rows} where name = 'journal_position'`;
}

/** Waits for the disk: else the first checkpoint pays for gigabytes that it never wrote. */
function settle(path: string): void {
  const file = openSync(path, 'r+');
  fsyncSync(file);
  closeSync(file);
}

interface Stretch {
  readonly from: number;
  readonly upTo: number;
  /** Of the whole store. */
  readonly rows: number;
}

function statements({ from, upTo, rows }: Stretch, { no, padded }: Words): readonly string[] {
  const numbers = `with recursive n(i) as (select ${from} union all select i + 1 from n where i < ${upTo})`;
  const call = `'call_' || ${padded(`(i - 1) / ${EVENTS_PER_CALL}`, 12)}`;
  const type = `case when i % 1000003 = 7 then '${RARE_TYPE}' else 'kind_' || (i % 20) end`;
  const agent = `case when i % 1000003 = 11 then '${RARE_AGENT}' else 'agent_' || (i % 100) end`;
  const endpoint = `case i % 4 when 0 then 'whk_off' when 1 then 'whk_1' when 2 then 'whk_2' else 'whk_3' end`;
  const isOwed = `((i % 4 = 0 and i > ${Math.floor(rows * 0.6)}) or i > ${rows - 1_000})`;
  const state = `case when ${isOwed} then 'pending' when i % 1000 = 1 then 'dead' else 'delivered' end`;
  const told = `'{"id":"evt_' || ${padded('i', 26)} || '","type":"' || ${type} || '",'`;
  const text = `${told} || '"resource":{"type":"call","id":"' || ${call} || '"},"pad":"'`;
  const body = `substr(${text} || '${'x'.repeat(BODY_BYTES)}', 1, ${BODY_BYTES - 2}) || '"}'`;
  const delivery = `'dlv_' || ${padded('i', 26)}`;
  return [
    `${numbers} insert into events (position, workspace_id, test_mode, resource_id, sequence, type, agent_id,
       committed_unix_ms, body)
     select i, '${WORKSPACE}', ${no}, ${call}, 1 + (i - 1) % ${EVENTS_PER_CALL}, ${type}, ${agent}, i, ${body} from n`,
    `${numbers} insert into deliveries (id, endpoint_id, event_position, test_mode, state, attempts,
       created_unix_ms, settled_unix_ms)
     select ${delivery}, ${endpoint}, i, ${no}, ${state}, 1, i, case when ${isOwed} then null else i end from n`,
    `${numbers} insert into attempts (id, delivery_id, number, trigger_name, started_at, duration_ms,
       request_headers, response_headers, response_body)
     select 'att_' || ${padded('i', 26)}, ${delivery}, 1, 'event', '2026-11-20T12:00:00.000Z', 3.5, '{}', '{}',
       '${'x'.repeat(BODY_BYTES)}' from n`,
  ];
}
