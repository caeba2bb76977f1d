import { WebSocket } from 'ws';
import { House } from '../test/live/house.ts';
import type { LoadFigures, RampFigures } from './load/callers.ts';
import { FRAME_MS, readSpeech } from './load/speech.ts';
import { connectedWords, mediaHead, mediaTail, startWords } from './load/twilio-words.ts';
import { OTHER_CORE, pin, residentMbOf } from './machine.ts';
import type { BenchOptions, Report } from './report.ts';
import { openLoad, pause, settle } from './scene/phases.ts';

const CALLS_MAX = 50;
const WEDGED_MS = 20_000;
const ROUND_TRIP_P99_MS_MAX = 30;
const SPEECH = readSpeech();

interface Pages {
  readonly before: LoadFigures;
  readonly during: LoadFigures;
}

/** Echo calls through a whole house while one more caller speaks on and reads nothing of its socket. */
export async function benchWedged(options: BenchOptions): Promise<Report> {
  pin(process.pid, OTHER_CORE);
  const calls = Math.min(CALLS_MAX, options.calls);
  const wedgedMs = options.isSmoke ? options.seconds * 1000 : WEDGED_MS;
  const house = await House.open({ LOOP_DELAY_MAX_MS: '0' });
  const load = openLoad();
  try {
    const wished = { dialect: 'twilio', agent_id: 'echo' };
    const { url } = await house.api<{ url: string }>('POST', '/voice/stream-credentials', wished);
    const plan = { label: 'wedged', url, calls, callsPerSecond: options.callsPerSecond, inStep: false };
    const { refusals } = await load.ask<RampFigures>('ramp', plan);
    const wedged = await WedgedCaller.dial(url);
    await settle(options);
    await load.ask('turnPage', 'settling');
    await pause(wedgedMs);
    await load.ask('turnPage', 'before');
    const nodePid = house.pidOf('node-0');
    const residentBeforeMb = residentMbOf(nodePid);
    wedged.stopReading();
    await pause(wedgedMs);
    await load.ask('turnPage', 'during');
    const residentDuringMb = residentMbOf(nodePid);
    const isStuck = wedged.isOnTheLine;
    wedged.leave();
    await load.ask('hangUp');
    const pages = await load.ask<Pages>('readPages');
    const memoryMb = { residentBeforeMb, residentDuringMb };
    return reportOf({ calls, wedgedMs, pages, memoryMb, refusals, isStuck });
  } finally {
    await load.close();
    await house.close();
  }
}

/** A caller that can be told to leave what it is sent in the kernel's buffers. */
class WedgedCaller {
  readonly #socket: WebSocket;
  readonly #speaking: NodeJS.Timeout;
  #sentFrames = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('error', () => socket.terminate());
    socket.send(connectedWords());
    socket.send(startWords('MZstuck', 'CAstuck'));
    this.#speaking = setInterval(() => this.#speak(), FRAME_MS);
  }

  static async dial(url: string): Promise<WedgedCaller> {
    const socket = new WebSocket(url);
    await new Promise((answered, failed) => {
      socket.once('open', answered);
      socket.once('error', failed);
    });
    return new WedgedCaller(socket);
  }

  get isOnTheLine(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  stopReading(): void {
    this.#socket.pause();
  }

  leave(): void {
    clearInterval(this.#speaking);
    this.#socket.terminate();
  }

  #speak(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const { payloads } = SPEECH;
    const frame = this.#sentFrames++;
    const payload = payloads[frame % payloads.length]!.toString('latin1');
    this.#socket.send(mediaHead(frame + 2, frame) + payload + mediaTail('MZstuck'));
  }
}

function reportOf(parts: {
  readonly calls: number;
  readonly wedgedMs: number;
  readonly pages: Pages;
  readonly memoryMb: { readonly residentBeforeMb: number; readonly residentDuringMb: number };
  readonly refusals: readonly string[];
  readonly isStuck: boolean;
}): Report {
  const { calls, wedgedMs, pages, memoryMb, refusals, isStuck } = parts;
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
        title: `${calls} echo calls beside one that reads nothing for ${wedgedMs / 1000} s`,
        columns: ['stretch', 'p50 ms', 'p99 ms', 'max ms', 'load late p99', 'echoed', 'lost', 'lost calls'],
        rows,
      },
      {
        title: 'targets',
        columns: ['figure', 'measured', 'target'],
        rows: [
          ['round trip p99 during, ms', pages.during.roundTripMs.p99, ROUND_TRIP_P99_MS_MAX],
          ['memory grown, MB', memoryMb.residentDuringMb - memoryMb.residentBeforeMb, null],
        ],
      },
    ],
    failures: [
      ...refusals,
      ...(isStuck ? [] : ['the caller that read nothing was not on the line to the end']),
      ...(isEchoed ? [] : ['the other callers were not echoed']),
      ...(pages.during.lostCalls === 0 ? [] : ['other calls were lost']),
    ],
    figures: { ...pages, ...memoryMb, calls, wedgedMs },
  };
}
