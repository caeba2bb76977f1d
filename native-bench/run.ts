import { parseArgs } from 'node:util';
import { benchCalls } from './calls.ts';
import { benchDeliveries } from './deliveries.ts';
import { benchFailover } from './failover.ts';
import { benchHandovers } from './handovers.ts';
import { benchInterruptions } from './interruptions.ts';
import { benchHooks } from './hooks.ts';
import { benchJitter } from './jitter.ts';
import { benchKernels, compareKernels } from './kernels.ts';
import { benchOutages } from './outages.ts';
import { machineFacts } from './machine.ts';
import { benchPacing } from './pacing.ts';
import { benchRelay } from './relay.ts';
import { printReport, saveReport, type Bench, type BenchOptions } from './report.ts';
import { benchWedged } from './wedged.ts';

const BENCHES: readonly Bench[] = [
  { name: 'kernels', run: benchKernels },
  { name: 'jitter', run: benchJitter },
  { name: 'pacing', run: benchPacing },
  { name: 'calls', run: benchCalls },
  { name: 'hooks', run: benchHooks },
  { name: 'deliveries', run: benchDeliveries },
  { name: 'outages', run: benchOutages },
  { name: 'wedged', run: benchWedged },
  { name: 'handovers', run: benchHandovers },
  { name: 'relay', run: benchRelay },
  { name: 'failover', run: benchFailover, onlyByName: true },
  { name: 'barge-in', run: benchInterruptions },
];

const USAGE = `node native-bench/run.ts [bench …] [options]

  ${BENCHES.map(({ name }) => name).join(', ')}

  --smoke        every bench for a second or two; ends non-zero when something is broken
  --save         keep the figures as native-bench/results/<name>.json
  --compare      kernels beside the saved ones
  --calls N      calls at once (300)
  --rate N       new calls a second (30)
  --events N     events a second of the deliveries (500, then 2000)
  --agent WHO    who has the caller before a handover: native, openai (the one, then the other)
  --seconds N    length of the steady stretch, and of the paced stream (60)
  --faults A,B   failover: only these
  --runs N       failover: of each fault, instead of its own number
  --quick        failover: every fault once, with few calls, in two minutes
`;

const { values, positionals } = readArguments();
if (values.help === true) {
  console.log(USAGE);
} else {
  process.exitCode = await run(wanted(positionals), optionsOf());
}

async function run(benches: readonly Bench[], options: BenchOptions): Promise<number> {
  const { cpu, cores, node, commit } = machineFacts();
  console.log(`${cores} × ${cpu}, node ${node}, commit ${commit ?? 'unknown'}`);
  let broken = 0;
  for (const bench of benches) {
    const report = await bench.run(options);
    printReport(report);
    broken += report.failures.length;
    if (values.compare === true && report.name === 'kernels') {
      const comparison = compareKernels(report);
      if (comparison === undefined)
        console.error('\nnothing was saved to compare with: run with --save first');
      else printReport({ ...report, name: 'kernels, then and now', tables: [comparison], failures: [] });
    }
    if (values.save === true) console.log(`\nsaved as ${saveReport(report, options)}`);
  }
  return broken === 0 ? 0 : 1;
}

function wanted(names: readonly string[]): readonly Bench[] {
  const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0) stop(`no bench is called ${unknown.join(', ')}`);
  if (names.length > 0) return BENCHES.filter(({ name }) => names.includes(name));
  return values.compare === true
    ? BENCHES.filter(({ name }) => name === 'kernels')
    : BENCHES.filter(isOfEverything);
}

function isOfEverything({ onlyByName }: Bench): boolean {
  return onlyByName !== true;
}

function optionsOf(): BenchOptions {
  const isSmoke = values.smoke === true;
  if (isSmoke && values.save === true) stop('a smoke run measures nothing worth saving');
  return {
    isSmoke,
    calls: wholeOf('calls', isSmoke ? 10 : 300),
    callsPerSecond: wholeOf('rate', 30),
    seconds: wholeOf('seconds', isSmoke ? 2 : 60),
    eventsPerSecond: values.events === undefined ? null : wholeOf('events', 500),
    agent: agentOf(values.agent),
    faults: values.faults?.split(',') ?? null,
    runs: values.runs === undefined ? null : wholeOf('runs', 1),
    isQuick: values.quick === true,
  };
}

function agentOf(name: string | undefined): BenchOptions['agent'] {
  if (name === undefined || name === 'native' || name === 'openai') return name ?? null;
  return stop('--agent takes native or openai');
}

function wholeOf(name: 'calls' | 'events' | 'rate' | 'runs' | 'seconds', fallback: number): number {
  const text = values[name];
  if (text === undefined) return fallback;
  const value = Number(text);
  return Number.isInteger(value) && value > 0 ? value : stop(`--${name} takes a whole number above 0`);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        smoke: { type: 'boolean' },
        save: { type: 'boolean' },
        compare: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        calls: { type: 'string' },
        agent: { type: 'string' },
        events: { type: 'string' },
        rate: { type: 'string' },
        seconds: { type: 'string' },
        faults: { type: 'string' },
        runs: { type: 'string' },
        quick: { type: 'boolean' },
      },
    });
  } catch (error) {
    return stop((error as Error).message);
  }
}

function stop(sentence: string): never {
  console.error(`${sentence}\n\n${USAGE}`);
  process.exit(2);
}
