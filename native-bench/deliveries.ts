import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { sleep, systemClock } from '../src/base/clock.ts';
import type { DeliveryStats } from '../src/delivery/delivery.ts';
import type { EventRecord } from '../src/events/envelope.ts';
import { eventOf } from '../test/store/samples.ts';
import { distributionOf } from './load/distribution.ts';
import { Remote } from './load/remote.ts';
import { cpuSecondsOf, MEASURED_CORE, OTHER_CORE, pin, residentMbOf, waitedSecondsOf } from './machine.ts';
import type { BenchOptions, Report } from './report.ts';
import type { Told } from './scene/hook-figures.ts';

const LOADS = [500, 2_000];
const CALLS = 200;
/** Code is compiled and connections are opened before anything counts. */
const WARM_UP_MS = 3_000;
const STEP_MS = 1;
const PATIENCE_MS = 15_000;
/** Calls that end in one instant, and what each of them tells then. */
const STORM_CALLS = 300;
const STORM_EVENTS_PER_CALL = 4;

interface Sent {
  readonly dueAtMs: number;
  readonly isMeasured: boolean;
}

interface Run {
  readonly eventsPerSecond: number;
  readonly sent: ReadonlyMap<string, Sent>;
  readonly told: readonly Told[];
  readonly latenessMs: readonly number[];
  readonly cpuMsPerHook: number;
  readonly coreRatio: number;
  /** Of the time: ready to run, and somebody else had the core. The floor under every latency. */
  readonly waitedRatio: number;
  readonly stormMs: number;
  readonly stormCpuMs: number;
  readonly residentMb: number;
  readonly delivery: DeliveryStats;
}

/** Everybody has a process: nobody's figures wait for another's work. */
interface Scene {
  readonly house: Remote;
  readonly well: Remote;
  readonly load: Load;
}

/**
 * Journal and delivery alone, at a set load of events: from the event to its last byte at an endpoint that is
 * well, beside one that is dead, one that takes five seconds and one that answers 500; then a storm.
 */
export async function benchDeliveries(options: BenchOptions): Promise<Report> {
  pin(process.pid, OTHER_CORE);
  const loads = options.eventsPerSecond === null ? LOADS : [options.eventsPerSecond];
  const runs: Run[] = [];
  for (const load of options.isSmoke ? loads.slice(0, 1) : loads) {
    runs.push(await runOnce(load, Math.min(options.seconds, 30)));
  }
  const figures = runs.map((run) => ({ run, ...latencyOf(run) }));
  return {
    name: 'deliveries',
    tables: [
      {
        title: 'event → last byte at a healthy endpoint, ms, beside a dead, a slow and a broken one',
        columns: [
          'events/s',
          'arrived',
          'p50',
          'p99',
          'p99.9',
          'load late p99',
          'core busy',
          'core denied',
          'CPU ms/event',
        ],
        rows: figures.map(({ run, latency, lateness }) => [
          run.eventsPerSecond,
          latency.count,
          latency.p50,
          latency.p99,
          latency.p999,
          lateness.p99,
          run.coreRatio,
          run.waitedRatio,
          run.cpuMsPerHook,
        ]),
      },
      {
        title: `${STORM_CALLS} calls end at once, ${STORM_EVENTS_PER_CALL} events each, to the last hook, after that load`,
        columns: ['events/s', 'ms', 'CPU ms', 'RSS MB', 'in memory', 'requests'],
        rows: runs.map((run) => [
          run.eventsPerSecond,
          run.stormMs,
          run.stormCpuMs,
          run.residentMb,
          run.delivery.entries,
          run.delivery.attempts,
        ]),
      },
    ],
    failures: figures.flatMap(({ run, missing, outOfOrder }) => [
      ...(missing > 0 ? [`${missing} events never arrived at ${run.eventsPerSecond}/s`] : []),
      ...(outOfOrder > 0 ? [`${outOfOrder} events out of order at ${run.eventsPerSecond}/s`] : []),
    ]),
    figures: {
      runs: figures.map(({ run, ...rest }) => {
        const { sent: _sent, told: _told, latenessMs: _late, ...plain } = run;
        return { ...plain, ...rest };
      }),
    },
  };
}

async function runOnce(eventsPerSecond: number, seconds: number): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'omnivoice-bench-'));
  const remotes = ['receiver', 'receiver', 'delivering'].map((name, index) => {
    const remote = Remote.open(resolve(import.meta.dirname, `scene/${name}-process.ts`), [folder]);
    pin(remote.pid, index === 2 ? MEASURED_CORE : OTHER_CORE);
    return remote;
  });
  const [well, bad, house] = remotes as [Remote, Remote, Remote];
  try {
    const badBase = `http://127.0.0.1:${await bad.ask<number>('port')}`;
    await house.ask('open', [
      `http://127.0.0.1:${await well.ask<number>('port')}/hooks`,
      `${badBase}/slow`,
      `${badBase}/broken`,
      `http://127.0.0.1:${await closedPort()}/dead`,
    ]);
    return await measured({ house, well, load: new Load(house) }, eventsPerSecond, seconds);
  } finally {
    for (const remote of remotes) await remote.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measured(
  { house, well, load }: Scene,
  eventsPerSecond: number,
  seconds: number,
): Promise<Run> {
  await load.emit(eventsPerSecond, WARM_UP_MS, false);
  const cpuBefore = cpuSecondsOf(house.pid);
  const waitedBefore = waitedSecondsOf(house.pid);
  const latenessMs = await load.emit(eventsPerSecond, seconds * 1_000, true);
  const cpuSeconds = cpuSecondsOf(house.pid) - cpuBefore;
  const waitedSeconds = waitedSecondsOf(house.pid) - waitedBefore;
  const told = await arrivals(well, load.sent.size);
  const residentMb = residentMbOf(house.pid);
  const { delivery } = await house.ask<{ delivery: DeliveryStats }>('stats');
  const stormCpuBefore = cpuSecondsOf(house.pid);
  const startedAtMs = systemClock.nowMs();
  await load.storm();
  const storm = await arrivals(well, STORM_CALLS * STORM_EVENTS_PER_CALL);
  return {
    eventsPerSecond,
    sent: load.sent,
    told: [...told, ...storm],
    latenessMs,
    cpuMsPerHook: (cpuSeconds * 1_000) / (eventsPerSecond * seconds),
    coreRatio: cpuSeconds / seconds,
    waitedRatio: waitedSeconds / seconds,
    stormMs: Math.max(...storm.map(({ arrivedAtMs }) => arrivedAtMs)) - startedAtMs,
    stormCpuMs: (cpuSecondsOf(house.pid) - stormCpuBefore) * 1_000,
    residentMb,
    delivery,
  };
}

/** Events at an even pace, each known by when it was due: a pause of ours is not to look like a good figure. */
class Load {
  readonly sent = new Map<string, Sent>();
  readonly #house: Remote;
  readonly #sequences = new Map<string, number>();
  #made = 0;

  constructor(house: Remote) {
    this.#house = house;
  }

  /** How late each event was handed over. */
  async emit(eventsPerSecond: number, durationMs: number, isMeasured: boolean): Promise<readonly number[]> {
    const events = Math.round((eventsPerSecond * durationMs) / 1_000);
    const startedAtMs = systemClock.nowMs();
    const latenessMs: number[] = [];
    const told: Promise<unknown>[] = [];
    for (let made = 0; made < events; await sleep(systemClock, STEP_MS)) {
      const nowMs = systemClock.nowMs();
      const records: EventRecord[] = [];
      for (; made < events && startedAtMs + (made * 1_000) / eventsPerSecond <= nowMs; made++) {
        const dueAtMs = startedAtMs + (made * 1_000) / eventsPerSecond;
        latenessMs.push(nowMs - dueAtMs);
        records.push(this.#event(`call_${this.#made++ % CALLS}`, { dueAtMs, isMeasured }));
      }
      if (records.length > 0) told.push(this.#house.ask('tell', records));
    }
    await Promise.all(told);
    return latenessMs;
  }

  /** All at once, as when a carrier drops its calls; each call is a commit of its own. */
  async storm(): Promise<void> {
    const sent = { dueAtMs: systemClock.nowMs(), isMeasured: false };
    const calls = Array.from({ length: STORM_CALLS }, (_, index) =>
      Array.from({ length: STORM_EVENTS_PER_CALL }, () => this.#event(`call_storm_${index}`, sent)),
    );
    await Promise.all(calls.map((records) => this.#house.ask('tell', records)));
  }

  #event(callId: string, sent: Sent): EventRecord {
    const sequence = (this.#sequences.get(callId) ?? 0) + 1;
    this.#sequences.set(callId, sequence);
    const created_at = new Date(systemClock.unixMs()).toISOString();
    const record = eventOf(callId, sequence, { created_at });
    this.sent.set(record.envelope.id, sent);
    return record;
  }
}

async function arrivals(receiver: Remote, expected: number): Promise<readonly Told[]> {
  const told: Told[] = [];
  const untilAtMs = systemClock.nowMs() + PATIENCE_MS;
  while (told.length < expected && systemClock.nowMs() < untilAtMs) {
    await sleep(systemClock, 250);
    told.push(...(await receiver.ask<Told[]>('told')));
  }
  return told;
}

function latencyOf({ sent, told, latenessMs }: Run) {
  const first = new Map<string, Told>();
  for (const one of told) if (!first.has(one.id)) first.set(one.id, one);
  const latencies: number[] = [];
  const highest = new Map<string, number>();
  let outOfOrder = 0;
  for (const { id, callId, sequence, arrivedAtMs } of first.values()) {
    const { dueAtMs, isMeasured } = sent.get(id)!;
    if (isMeasured) latencies.push(arrivedAtMs - dueAtMs);
    if (sequence < (highest.get(callId) ?? 0)) outOfOrder++;
    highest.set(callId, Math.max(sequence, highest.get(callId) ?? 0));
  }
  const missing = sent.size - first.size;
  return { latency: distributionOf(latencies), lateness: distributionOf(latenessMs), outOfOrder, missing };
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
