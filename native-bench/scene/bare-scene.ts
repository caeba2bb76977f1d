import { resolve } from 'node:path';
import type { LoopDelays } from '../../src/telemetry/loop-delay.ts';
import type { RampFigures } from '../load/callers.ts';
import { Remote } from '../load/remote.ts';
import { MEASURED_CORE, pin, residentMbOf } from '../machine.ts';
import type { BenchOptions } from '../report.ts';
import { openLoad, pause, readPages, settle, type ServerFigures } from './phases.ts';
import { Stretch } from './stretch.ts';

/** A smoke run only asks whether it works at all. */
const SMOKE_SECONDS = 1;

/** The same load against a bare `ws` server on the same core. */
export async function runBare(kind: 'json' | 'scan', options: BenchOptions): Promise<ServerFigures> {
  const server = Remote.open(resolve(import.meta.dirname, 'bare-server.ts'), [kind]);
  const load = openLoad();
  try {
    return await measure(server, load, options);
  } finally {
    await load.close();
    await server.close();
  }
}

async function measure(server: Remote, load: Remote, options: BenchOptions): Promise<ServerFigures> {
  const isPinned = pin(server.pid, MEASURED_CORE);
  const { calls, callsPerSecond } = options;
  const url = `ws://127.0.0.1:${await server.ask<number>('port')}/`;
  await settle(options);
  const residentIdleMb = residentMbOf(server.pid);
  const plan = { label: 'bare', url, calls, callsPerSecond, inStep: false };
  const setup = await load.ask<RampFigures>('ramp', plan);
  await load.ask('turnPage', 'ramp');
  // A reading covers the time since the one before the last.
  await server.ask('loopDelay');
  await server.ask('loopDelay');
  await settle(options);
  await load.ask('turnPage', 'settling');
  const stretch = new Stretch({ measuredPid: server.pid, otherPids: [load.pid, process.pid], isPinned });
  await pause(1000 * (options.isSmoke ? SMOKE_SECONDS : options.seconds));
  const figures = stretch.end();
  await load.ask('turnPage', 'steady');
  const loopDelay = await server.ask<LoopDelays>('loopDelay');
  const residentLoadedMb = residentMbOf(server.pid);
  await load.ask('hangUp');
  const { ramp, steady } = await readPages(load, ['ramp', 'steady']);
  return { setup, ramp, steady, stretch: figures, loopDelay, residentIdleMb, residentLoadedMb };
}
