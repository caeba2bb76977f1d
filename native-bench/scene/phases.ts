import { resolve } from 'node:path';
import { sleep, systemClock } from '../../src/base/clock.ts';
import type { LoopDelays } from '../../src/telemetry/loop-delay.ts';
import type { LoadFigures, RampFigures } from '../load/callers.ts';
import { Remote } from '../load/remote.ts';
import type { BenchOptions } from '../report.ts';
import type { StretchFigures } from './stretch.ts';

/** Between two phases: what the one leaves behind is over before the next is measured. */
const SETTLE_MS = 1000;

/** The phases every server under load goes through. */
export interface ServerFigures {
  readonly setup: RampFigures;
  readonly ramp: LoadFigures;
  readonly steady: LoadFigures;
  readonly stretch: StretchFigures;
  readonly loopDelay: LoopDelays;
  readonly residentIdleMb: number;
  readonly residentLoadedMb: number;
}

export const pause = (durationMs: number): Promise<void> => sleep(systemClock, durationMs);

export function settle({ isSmoke }: BenchOptions): Promise<void> {
  return pause(isSmoke ? SETTLE_MS / 4 : SETTLE_MS);
}

export function openLoad(): Remote {
  return Remote.open(resolve(import.meta.dirname, '../load/process.ts'));
}

/** What is broken in how a server echoed; slowness is not. */
export function echoFailures(name: string, figures: Pick<ServerFigures, 'setup' | 'steady'>): string[] {
  const { setup, steady } = figures;
  const failures: string[] = [];
  if (setup.refusals.length > 0)
    failures.push(`${setup.refusals.length} calls refused: ${setup.refusals[0]}`);
  if (steady.sentFrames === 0) failures.push('no frame was sent');
  if (steady.echoedFrames < 0.9 * steady.sentFrames) {
    failures.push(`${steady.echoedFrames} echoes of ${steady.sentFrames} frames`);
  }
  if (steady.wrongFrames > 0) failures.push(`${steady.wrongFrames} echoes of what nobody said`);
  if (steady.lostCalls > 0) failures.push(`${steady.lostCalls} calls were cut off`);
  return failures.map((failure) => `${name}: ${failure}`);
}

/** What the load noted in these phases. */
export async function readPages<Name extends string>(
  load: Remote,
  names: readonly Name[],
): Promise<{ readonly [N in Name]: LoadFigures }> {
  const pages = await load.ask<{ readonly [N in Name]: LoadFigures }>('readPages');
  const missing = names.filter((name) => !(name in pages));
  if (missing.length > 0) throw new Error(`the load has no page ${missing.join(', ')}`);
  return pages;
}
