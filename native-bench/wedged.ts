import { House } from '../test/live/house.ts';
import type { LoadFigures, RampFigures } from './load/callers.ts';
import { WedgedCaller } from './load/wedged-caller.ts';
import { OTHER_CORE, pin, residentMbOf } from './machine.ts';
import type { BenchOptions, Report } from './report.ts';
import { Exposition } from './scene/exposition.ts';
import { openLoad, pause, readPages, settle } from './scene/phases.ts';

const CALLS_MAX = 50;
const WEDGED_CALLERS = 4;
const WEDGED_MS = 20_000;
/** The kernel takes some megabytes of each before anything waits in the node. */
const FILLED_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;
const ROUND_TRIP_P99_MS_MAX = 30;
const GROWN_MB_MAX = 32;

interface Pages {
  readonly before: LoadFigures;
  readonly during: LoadFigures;
}

/** What the node itself counted while nobody read. */
interface NodeCounts {
  readonly saidFrames: number;
  /** Towards those who read nothing, and towards all others. */
  readonly droppedFrames: number;
  readonly droppedOfOthersFrames: number;
}

/**
 * Echo calls through a whole house, as they are and beside callers of 48 kHz that speak on and read nothing:
 * the stretch begins once what is sent to them waits in the node.
 */
export async function benchWedged(options: BenchOptions): Promise<Report> {
  pin(process.pid, OTHER_CORE);
  const calls = Math.min(CALLS_MAX, options.calls);
  const wedgedMs = options.isSmoke ? options.seconds * 1000 : WEDGED_MS;
  const house = await House.open({ LOOP_DELAY_MAX_MS: '0' });
  const load = openLoad();
  try {
    const urlOf = async (dialect: string): Promise<string> => {
      const wished = { dialect, agent_id: 'echo' };
      return (await house.api<{ url: string }>('POST', '/voice/stream-credentials', wished)).url;
    };
    const [url, wedgedUrl] = [await urlOf('twilio'), await urlOf('native')];
    const plan = { label: 'wedged', url, calls, callsPerSecond: options.callsPerSecond, inStep: false };
    const { refusals } = await load.ask<RampFigures>('ramp', plan);
    const wedged = await Promise.all(
      Array.from({ length: WEDGED_CALLERS }, () => WedgedCaller.dial(wedgedUrl)),
    );
    await settle(options);
    await load.ask('turnPage', 'settling');
    await pause(wedgedMs);
    await load.ask('turnPage', 'before');
    const nodePid = house.pidOf('node-0');
    const residentBeforeMb = residentMbOf(nodePid);
    const isFull = await fill(house, wedged);
    await settle(options);
    await load.ask('turnPage', 'filling');
    const said = (): number => wedged.reduce((sum, one) => sum + one.sentFrames, 0);
    const [countsBefore, saidBefore] = [await dropped(house), said()];
    await pause(wedgedMs);
    const saidFrames = said() - saidBefore;
    const countsAfter = await dropped(house);
    await load.ask('turnPage', 'during');
    const residentDuringMb = residentMbOf(nodePid);
    const areStuck = wedged.every(({ isOnTheLine }) => isOnTheLine);
    for (const one of wedged) one.leave();
    await load.ask('hangUp');
    const pages = await readPages(load, ['before', 'during']);
    const memoryMb = { residentBeforeMb, residentDuringMb };
    const node = {
      saidFrames,
      droppedFrames: countsAfter.wedged - countsBefore.wedged,
      droppedOfOthersFrames: countsAfter.others - countsBefore.others,
    };
    return reportOf({ calls, wedgedMs, pages, memoryMb, refusals, node, isStuck: isFull && areStuck });
  } finally {
    await load.close();
    await house.close();
  }
}

/** They read nothing more and hurry until the node drops what it has for them; false where it never does. */
async function fill(house: House, wedged: readonly WedgedCaller[]): Promise<boolean> {
  const { wedged: before } = await dropped(house);
  for (const one of wedged) one.stopReading();
  const deadlineMs = performance.now() + FILLED_WITHIN_MS;
  let isFull = false;
  while (!isFull && performance.now() < deadlineMs) {
    await pause(LOOK_EVERY_MS);
    isFull = (await dropped(house)).wedged > before;
  }
  for (const one of wedged) one.speakInTime();
  return isFull;
}

/** Frames that found a socket of the node busy. */
async function dropped(house: House): Promise<{ wedged: number; others: number }> {
  const exposition = await Exposition.fetch(house.ready.api_url);
  const of = (provider: string): number =>
    exposition.sum('omnivoice_frames_dropped_total', { provider, reason: 'busy' });
  return { wedged: of('native'), others: of('twilio') };
}

function reportOf(parts: {
  readonly calls: number;
  readonly wedgedMs: number;
  readonly pages: Pages;
  readonly memoryMb: { readonly residentBeforeMb: number; readonly residentDuringMb: number };
  readonly refusals: readonly string[];
  readonly node: NodeCounts;
  readonly isStuck: boolean;
}): Report {
  const { calls, wedgedMs, pages, memoryMb, refusals, node, isStuck } = parts;
  const grownMb = memoryMb.residentDuringMb - memoryMb.residentBeforeMb;
  const rows = (['before', 'during'] as const).map((name) => {
    const { roundTripMs, lateMs, echoedFrames, lostFrames, lostCalls } = pages[name];
    const { p50, p99, max } = roundTripMs;
    return [name, p50, p99, max, lateMs.p99, echoedFrames, lostFrames, lostCalls];
  });
  const isEchoed = pages.during.echoedFrames > 0.9 * pages.during.sentFrames;
  return {
    name: 'wedged',
    tables: [
      {
        title: `${calls} echo calls beside ${WEDGED_CALLERS} that read nothing, ${wedgedMs / 1000} s each`,
        columns: ['stretch', 'p50 ms', 'p99 ms', 'max ms', 'load late p99', 'echoed', 'lost', 'lost calls'],
        rows,
      },
      {
        title: 'targets',
        columns: ['figure', 'measured', 'target'],
        rows: [
          ['round trip p99 during, ms', pages.during.roundTripMs.p99, ROUND_TRIP_P99_MS_MAX],
          ['memory grown, MB', grownMb, GROWN_MB_MAX],
        ],
      },
      {
        title: 'frames of the node meanwhile',
        columns: ['what', 'frames'],
        rows: [
          ['said by those who read nothing', node.saidFrames],
          ['dropped of what they were to hear', node.droppedFrames],
          ['dropped of what the others were to hear', node.droppedOfOthersFrames],
        ],
      },
    ],
    failures: [
      ...refusals,
      ...(isStuck ? [] : ['the callers that read nothing were not stuck, or not on the line to the end']),
      ...(node.droppedFrames > 0.9 * node.saidFrames ? [] : ['what they were to hear was not dropped']),
      ...(isEchoed ? [] : ['the other callers were not echoed']),
      ...(pages.during.lostCalls === 0 ? [] : ['other calls were lost']),
    ],
    figures: { ...pages, ...memoryMb, grownMb, node, calls, wedgedMs },
  };
}
