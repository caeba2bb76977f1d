import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import type { Store } from '../src/store/store.ts';
import { endpointOf } from '../test/store/samples.ts';
import { distributionOf } from './load/distribution.ts';
import { machineFacts } from './machine.ts';
import { printReport, type Report } from './report.ts';
import { ENDPOINTS } from './sql/fill.ts';
import { onPostgres, onSqlite, type Place } from './sql/places.ts';
import { stepsOf } from './sql/steps.ts';

const USAGE = `node native-bench/sql.ts [--rows N] [--dir DIR] [--postgres]

Fills a store with N events, N deliveries and N attempts (10 000 000 need some 15 GB), bodies of 300 bytes,
and times what the house asks of it. The store is removed afterwards.

  --rows N    events, and as many deliveries and attempts (10 000 000)
  --dir DIR   where the store is made (the system's temporary folder)
  --postgres  a PostgreSQL of its own is filled and asked, instead of SQLite
`;

const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    dir: { type: 'string' },
    postgres: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help === true) console.log(USAGE);
else
  process.exitCode = await main(
    Number(values.rows ?? 10_000_000),
    values.dir ?? tmpdir(),
    values.postgres ?? false,
  );

async function main(rows: number, dir: string, isOnPostgres: boolean): Promise<number> {
  if (!Number.isInteger(rows) || rows < 50_000) {
    console.error(`--rows takes a whole number from 50000 on\n\n${USAGE}`);
    return 2;
  }
  const { cpu, cores, node, commit } = machineFacts();
  console.log(`${cores} × ${cpu}, node ${node}, commit ${commit ?? 'unknown'}`);
  const folder = mkdtempSync(join(dir, 'omnivoice-sql-'));
  try {
    const place = isOnPostgres ? await onPostgres(folder) : onSqlite(folder);
    try {
      const report = await bench(place, rows);
      printReport(report);
      return report.failures.length === 0 ? 0 : 1;
    } finally {
      await place.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bench(place: Place, rows: number): Promise<Report> {
  await withStore(place, async ({ endpoints }) => {
    for (const id of ENDPOINTS) await endpoints.create(endpointOf(id, { enabled: id !== 'whk_off' }));
  });
  const startedAtMs = systemClock.nowMs();
  await place.fill(rows);
  const fillSeconds = (systemClock.nowMs() - startedAtMs) / 1_000;
  const fileMb = await place.sizeMb();
  console.log(
    `${place.engine}, ${rows} events, deliveries and attempts each: ${fillSeconds.toFixed(0)} s, ${fileMb.toFixed(0)} MB`,
  );
  const failures: string[] = [];
  const figures = await withStore(place, async (store) => {
    const told = [];
    for (const step of stepsOf(rows, String(process.pid))) {
      const { name, times, rows: due } = step;
      const takenMs: number[] = [];
      let found = 0;
      for (let round = 0; round < times; round++) {
        const fromMs = systemClock.nowMs();
        found = await step.run(store, round);
        takenMs.push(systemClock.nowMs() - fromMs);
        if (due !== undefined && found !== due) failures.push(`${name}: ${found} rows instead of ${due}`);
      }
      told.push({ name, times, found, ...distributionOf(takenMs), firstMs: takenMs[0] ?? 0 });
    }
    return told;
  });
  return {
    name: 'sql',
    tables: [
      {
        title: `ms each, in a store of ${rows} events, deliveries and attempts; the first finds nothing cached`,
        columns: ['what', 'times', 'rows', 'p50', 'p99', 'longest', 'first'],
        rows: figures.map((one) => [one.name, one.times, one.found, one.p50, one.p99, one.max, one.firstMs]),
      },
    ],
    failures: [...new Set(failures)].slice(0, 20),
    figures: { engine: place.engine, rows, fillSeconds, fileMb, steps: figures },
  };
}

async function withStore<T>(place: Place, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await place.open();
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
