import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { openStore, type Store } from '../src/store/store.ts';
import { endpointOf, TEST_KEYS } from '../test/store/samples.ts';
import { distributionOf } from './load/distribution.ts';
import { machineFacts } from './machine.ts';
import { printReport, type Report } from './report.ts';
import { ENDPOINTS, fill } from './sql/fill.ts';
import { stepsOf } from './sql/steps.ts';

const USAGE = `node native-bench/sql.ts [--rows N] [--dir DIR]

Fills a store with N events, N deliveries and N attempts (10 000 000 need some 15 GB), bodies of 300 bytes,
and times what the house asks of it. The store is removed afterwards.

  --rows N    events, and as many deliveries and attempts (10 000 000)
  --dir DIR   where the store is made (the system's temporary folder)
`;

const { values } = parseArgs({
  options: { rows: { type: 'string' }, dir: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
if (values.help === true) console.log(USAGE);
else process.exitCode = await main(Number(values.rows ?? 10_000_000), values.dir ?? tmpdir());

async function main(rows: number, dir: string): Promise<number> {
  if (!Number.isInteger(rows) || rows < 10_000) {
    console.error(`--rows takes a whole number from 10000 on\n\n${USAGE}`);
    return 2;
  }
  const { cpu, cores, node, commit } = machineFacts();
  console.log(`${cores} × ${cpu}, node ${node}, commit ${commit ?? 'unknown'}`);
  const folder = mkdtempSync(join(dir, 'omnivoice-sql-'));
  try {
    const report = await bench(join(folder, 'store.db'), rows);
    printReport(report);
    return report.failures.length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bench(path: string, rows: number): Promise<Report> {
  await withStore(path, async ({ endpoints }) => {
    for (const id of ENDPOINTS) await endpoints.create(endpointOf(id, { enabled: id !== 'whk_off' }));
  });
  const startedAtMs = systemClock.nowMs();
  fill(path, rows);
  const fillSeconds = (systemClock.nowMs() - startedAtMs) / 1_000;
  const fileMb = statSync(path).size / 1_048_576;
  console.log(
    `${rows} events, deliveries and attempts each: ${fillSeconds.toFixed(0)} s, ${fileMb.toFixed(0)} MB`,
  );
  const failures: string[] = [];
  const figures = await withStore(path, async (store) => {
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
    figures: { rows, fillSeconds, fileMb, steps: figures },
  };
}

async function withStore<T>(path: string, use: (store: Store) => Promise<T>): Promise<T> {
  // One after the other is no load: what a commit takes is asked here, not how long it may wait for others.
  const store = await openStore({ path, clock: systemClock, encryptionKeys: TEST_KEYS, commitSpacingMs: 0 });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
