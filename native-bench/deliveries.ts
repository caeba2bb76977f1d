import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { StoredEndpoint } from '../src/api/ports.ts';
import { sleep, systemClock } from '../src/base/clock.ts';
import { openDelivery, type Delivery } from '../src/delivery/delivery.ts';
import { openStore, type Store } from '../src/store/store.ts';
import { endpointOf, eventOf, TEST_KEYS } from '../test/store/samples.ts';
import { distributionOf } from './load/distribution.ts';
import { Remote } from './load/remote.ts';
import { cpuSecondsOf, MEASURED_CORE, OTHER_CORE, pin, residentMbOf } from './machine.ts';
import type { BenchOptions, Report } from './report.ts';
import type { Told } from './scene/hook-figures.ts';

const LOADS = [500, 2_000];
const CALLS = 200;
const STEP_MS = 5;
const PATIENCE_MS = 15_000;

interface Run {
  readonly eventsPerSecond: number;
  readonly sent: ReadonlyMap<string, number>;
  readonly told: readonly Told[];
  readonly lateMs: number;
  readonly coreRatio: number;
  readonly residentMb: number;
  readonly delivery: Delivery['stats'];
}

/**
 * Journal and delivery alone, at a set load of events: from the event to its last byte at an endpoint that is
 * well, beside one that is dead, one that takes five seconds and one that answers 500.
 */
export async function benchDeliveries(options: BenchOptions): Promise<Report> {
  pin(process.pid, MEASURED_CORE);
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
          'core busy',
          'load late by',
          'RSS MB',
          'in memory',
        ],
        rows: figures.map(({ run, latency }) => [
          run.eventsPerSecond,
          run.told.length,
          latency.p50,
          latency.p99,
          latency.p999,
          run.coreRatio,
          run.lateMs,
          run.residentMb,
          run.delivery.entries,
        ]),
      },
    ],
    failures: figures.flatMap(({ run, missing, outOfOrder }) => [
      ...(missing > 0 ? [`${missing} events never arrived at ${run.eventsPerSecond}/s`] : []),
      ...(outOfOrder > 0 ? [`${outOfOrder} events out of order at ${run.eventsPerSecond}/s`] : []),
    ]),
    figures: {
      runs: figures.map(({ run: { sent: _s, told: _t, ...run }, ...rest }) => ({ ...run, ...rest })),
    },
  };
}

async function runOnce(eventsPerSecond: number, seconds: number): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'omnivoice-bench-'));
  const receiver = Remote.open(resolve(import.meta.dirname, 'scene/receiver-process.ts'));
  pin(receiver.pid, OTHER_CORE);
  const store = await openStore({
    path: join(folder, 'store.db'),
    clock: systemClock,
    encryptionKeys: TEST_KEYS,
  });
  const delivery = openBenchDelivery(store);
  try {
    const base = `http://127.0.0.1:${await receiver.ask<number>('port')}`;
    const urls = [
      `${base}/hooks`,
      `${base}/slow`,
      `${base}/broken`,
      `http://127.0.0.1:${await closedPort()}/dead`,
    ];
    for (const [index, url] of urls.entries()) {
      const change: Partial<StoredEndpoint> = { url };
      await store.endpoints.create(endpointOf(`whk_${index + 1}`, change));
    }
    await delivery.start();
    const cpuBefore = cpuSecondsOf(process.pid);
    const { sent, lateMs } = await emit(store, delivery, eventsPerSecond, seconds);
    const coreRatio = (cpuSecondsOf(process.pid) - cpuBefore) / seconds;
    const told: Told[] = [];
    for (let waitedMs = 0; told.length < sent.size && waitedMs < PATIENCE_MS; waitedMs += 250) {
      await sleep(systemClock, 250);
      told.push(...(await receiver.ask<Told[]>('told')));
    }
    const residentMb = residentMbOf(process.pid);
    return { eventsPerSecond, sent, told, lateMs, coreRatio, residentMb, delivery: delivery.stats };
  } finally {
    await delivery.close();
    await store.close();
    await receiver.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function openBenchDelivery(store: Store): Delivery {
  return openDelivery({
    outbox: store.outbox,
    health: store.health,
    clock: systemClock,
    settings: { egressAllow: ['127.0.0.1'], userAgent: 'Omnivoice/bench', closeGraceMs: 10 },
    observer: { hookSent: () => undefined, attemptFinished: () => undefined },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
}

/** Commits and hands over events at an even pace; what falls due while the loop is busy is late, not lost. */
async function emit(store: Store, delivery: Delivery, eventsPerSecond: number, seconds: number) {
  const sent = new Map<string, number>();
  const startedAtMs = systemClock.nowMs();
  let lateMs = 0;
  for (let made = 0; made < eventsPerSecond * seconds;) {
    const dueEvents = Math.floor(((systemClock.nowMs() - startedAtMs) * eventsPerSecond) / 1_000);
    for (; made < Math.min(dueEvents, eventsPerSecond * seconds); made++) {
      const dueAtMs = startedAtMs + (made * 1_000) / eventsPerSecond;
      lateMs = Math.max(lateMs, systemClock.nowMs() - dueAtMs);
      const created_at = new Date(systemClock.unixMs()).toISOString();
      const record = eventOf(`call_${made % CALLS}`, 1 + Math.floor(made / CALLS), { created_at });
      // From when it was due: a pause of ours is not to look like a good figure.
      sent.set(record.envelope.id, dueAtMs);
      delivery.accept(await store.journal.append([record]));
    }
    await sleep(systemClock, STEP_MS);
  }
  return { sent, lateMs };
}

function latencyOf({ sent, told }: Run) {
  const first = new Map<string, Told>();
  for (const one of told) if (!first.has(one.id)) first.set(one.id, one);
  const latency = distributionOf(
    [...first.values()].map(({ id, arrivedAtMs }) => arrivedAtMs - sent.get(id)!),
  );
  const highest = new Map<string, number>();
  let outOfOrder = 0;
  for (const { callId, sequence } of first.values()) {
    if (sequence < (highest.get(callId) ?? 0)) outOfOrder++;
    highest.set(callId, Math.max(sequence, highest.get(callId) ?? 0));
  }
  return { latency, outOfOrder, missing: sent.size - first.size };
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
