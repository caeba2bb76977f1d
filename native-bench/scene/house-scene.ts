import { resolve } from 'node:path';
import { createServer, type AddressInfo } from 'node:net';
import type { LoopDelays } from '../../src/telemetry/loop-delay.ts';
import { House } from '../../test/live/house.ts';
import type { Cause, RampFigures } from '../load/callers.ts';
import { Remote } from '../load/remote.ts';
import { FRAME_MS, FRAME_SAMPLES, readSpeech } from '../load/speech.ts';
import { MEASURED_CORE, parentOf, pin, residentMbOf } from '../machine.ts';
import type { BenchOptions } from '../report.ts';
import { Exposition } from './exposition.ts';
import { causeOf, faultsOf, trace, type HookFaults, type Told, type Traced } from './hook-figures.ts';
import { openLoad, pause, readPages, settle, type ServerFigures } from './phases.ts';
import { Stretch } from './stretch.ts';

/** Legs a node takes unless it is told otherwise; the bench must not run into it. */
const CAP_LEGS = 800;
const COMPLETED_WITHIN_MS = 60_000;
const BURST_SMOKE_MS = 1500;

export interface HouseOptions extends BenchOptions {
  /** All callers begin in the same instant with the same words, after the steady stretch. */
  readonly withBurst: boolean;
  /** One endpoint nobody answers at, one that takes five seconds for each answer, and one that answers 500. */
  readonly withBadEndpoints: boolean;
  /** The control process is killed with -9 this often, evenly over the steady stretch. */
  readonly controlKills?: number;
}

/** What a whole house did under load. */
export interface HouseFigures extends ServerFigures {
  readonly burst: ServerFigures['steady'] | null;
  readonly faults: HookFaults;
  /** Connections the receiver took for all of it. */
  readonly connections: number;
  readonly hooks: {
    readonly ramp: readonly Traced[];
    readonly steady: readonly Traced[];
    readonly hangUp: readonly Traced[];
    readonly burst: readonly Traced[];
  };
  /** `/metrics` at both ends of the steady stretch. */
  readonly before: Exposition;
  readonly after: Exposition;
  readonly isPinned: boolean;
  /** Lines of the house's log that were warnings or worse. */
  readonly warnings: readonly string[];
}

/** Starts a real house, calls it, and takes it away again. */
export async function runHouse(options: HouseOptions): Promise<HouseFigures> {
  const opened: { close(): Promise<void> }[] = [];
  try {
    const house = await House.open({
      NODE_CAP_LEGS: String(Math.max(CAP_LEGS, options.calls)),
      // The load is what is measured: a late machine must show in the figures, not refuse the load.
      LOOP_DELAY_MAX_MS: '0',
      LOOP_BUSY_MAX_RATIO: '0',
    });
    opened.push(house);
    const receiver = Remote.open(resolve(import.meta.dirname, 'receiver-process.ts'));
    opened.push(receiver);
    const load = openLoad();
    opened.push(load);
    return await new HouseScene({ house, receiver, load, options }).run();
  } finally {
    for (const one of opened.reverse()) await one.close();
  }
}

class HouseScene {
  readonly #house: House;
  readonly #receiver: Remote;
  readonly #load: Remote;
  readonly #options: HouseOptions;
  readonly #nodePid: number;
  #url = '';
  #calledCalls = 0;

  constructor(parts: { house: House; receiver: Remote; load: Remote; options: HouseOptions }) {
    this.#house = parts.house;
    this.#receiver = parts.receiver;
    this.#load = parts.load;
    this.#options = parts.options;
    this.#nodePid = parts.house.pidOf('node-0');
  }

  async run(): Promise<HouseFigures> {
    const isPinned = pin(this.#nodePid, MEASURED_CORE);
    await this.#furnish();
    await settle(this.#options);
    const residentIdleMb = residentMbOf(this.#nodePid);
    const setup = await this.#ramp('steady', false);
    await this.#load.ask('turnPage', 'ramp');
    const before = await this.#expose(2);
    await settle(this.#options);
    await this.#load.ask('turnPage', 'settling');
    const { stretch, window } = await this.#steady(isPinned);
    await this.#awaitControl();
    const after = await this.#expose(1);
    const residentLoadedMb = residentMbOf(this.#nodePid);
    await this.#hangUp();
    if (this.#options.withBurst) await this.#burst();
    const told = await this.#receiver.ask<Told[]>('told');
    const connections = await this.#receiver.ask<number>('connections');
    const traced = await this.#trace(told);
    const pages = await readPages(this.#load, ['ramp', 'steady']);
    return {
      setup,
      ...pages,
      burst: this.#options.withBurst ? (await readPages(this.#load, ['burst'])).burst : null,
      stretch,
      loopDelay: loopDelayOf(after),
      residentIdleMb,
      residentLoadedMb,
      faults: faultsOf(told, traced),
      connections,
      hooks: phasesOf(traced, window),
      before,
      after,
      isPinned,
      warnings: this.#house.logged.filter((line) => /"level":"?(?:[4-6]0|warn|error|fatal)/.test(line)),
    };
  }

  /** Endpoints for every event, and the URL a provider would call. */
  async #furnish(): Promise<void> {
    const base = `http://127.0.0.1:${await this.#receiver.ask<number>('port')}`;
    const urls = [`${base}/hooks`];
    if (this.#options.withBadEndpoints) {
      urls.push(`${base}/slow`, `${base}/broken`, `http://127.0.0.1:${await closedPort()}/dead`);
    }
    for (const url of urls) await this.#house.api('POST', '/webhooks', { url, events: ['*'] });
    const wished = { dialect: 'twilio', agent_id: 'echo' };
    const { url } = await this.#house.api<{ url: string }>('POST', '/voice/stream-credentials', wished);
    this.#url = url;
  }

  async #ramp(label: string, inStep: boolean): Promise<RampFigures> {
    const { calls, callsPerSecond } = this.#options;
    const plan = { label, url: this.#url, calls, callsPerSecond, inStep };
    const figures = await this.#load.ask<RampFigures>('ramp', plan);
    this.#calledCalls += calls - figures.refusals.length;
    return figures;
  }

  async #steady(isPinned: boolean) {
    const { seconds, controlKills = 0 } = this.#options;
    const otherPids = [
      // A control that is killed takes its account with it.
      ...(controlKills === 0 ? [this.#house.pidOf('control')] : []),
      parentOf(this.#nodePid),
      this.#receiver.pid,
      this.#load.pid,
      process.pid,
    ];
    const stretch = new Stretch({ measuredPid: this.#nodePid, otherPids, isPinned });
    const killing = this.#killControl(controlKills, (seconds * 1000) / (controlKills + 1));
    await pause(seconds * 1000);
    await killing;
    const figures = stretch.end();
    await this.#load.ask('turnPage', 'steady');
    const fromMs = stretch.startedAtMs;
    return { stretch: figures, window: { fromMs, untilMs: fromMs + 1000 * figures.durationSeconds } };
  }

  async #killControl(kills: number, everyMs: number): Promise<void> {
    for (let kill = 0; kill < kills; kill++) {
      await pause(everyMs);
      process.kill(this.#house.pidOf('control'), 'SIGKILL');
    }
  }

  /** A control that was killed is back soon: figures are asked of the one that is there. */
  async #awaitControl(): Promise<void> {
    const deadlineMs = performance.now() + COMPLETED_WITHIN_MS;
    const isThere = (): Promise<boolean> =>
      fetch(`${this.#house.ready.api_url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (!(await isThere()) && performance.now() < deadlineMs) await pause(50);
  }

  async #burst(): Promise<void> {
    await this.#ramp('burst', true);
    await settle(this.#options);
    await this.#load.ask('turnPage', 'waiting');
    await this.#load.ask('speakInStep');
    const sampleMs = (readSpeech().samples.length / FRAME_SAMPLES) * FRAME_MS;
    await pause(this.#options.isSmoke ? BURST_SMOKE_MS : sampleMs);
    await this.#load.ask('turnPage', 'burst');
    await this.#hangUp();
  }

  /** Everybody at once; over when the last hook of the last call has come. */
  async #hangUp(): Promise<void> {
    await this.#load.ask('hangUp');
    const deadlineMs = performance.now() + COMPLETED_WITHIN_MS;
    while (performance.now() < deadlineMs) {
      if ((await this.#receiver.ask<number>('completedCalls')) >= this.#calledCalls) return;
      await pause(50);
    }
  }

  async #trace(told: readonly Told[]): Promise<Traced[]> {
    const asked = told.map((one): { callSid: string; cause: Cause } => ({
      callSid: one.callSid,
      cause: causeOf(one),
    }));
    return trace(told, await this.#load.ask<Float64Array>('sentAtMs', asked));
  }

  /** The loop's delay is told since the reading before the last: two readings begin it anew. */
  async #expose(times: number): Promise<Exposition> {
    for (let i = 1; i < times; i++) await Exposition.fetch(this.#house.ready.api_url);
    return await Exposition.fetch(this.#house.ready.api_url);
  }
}

function phasesOf(
  traced: readonly Traced[],
  window: { readonly fromMs: number; readonly untilMs: number },
): HouseFigures['hooks'] {
  const steady = traced.filter(({ callSid }) => callSid.startsWith('CAsteady'));
  const isSpoken = ({ mediaMs }: Traced): boolean => mediaMs !== null;
  const isWithin = ({ causedAtMs }: Traced): boolean =>
    causedAtMs >= window.fromMs && causedAtMs < window.untilMs;
  return {
    ramp: steady.filter((hook) => !isSpoken(hook) && causeOf(hook) === 'start'),
    steady: steady.filter((hook) => isSpoken(hook) && isWithin(hook)),
    hangUp: steady.filter((hook) => !isSpoken(hook) && causeOf(hook) === 'stop'),
    burst: traced.filter((hook) => hook.callSid.startsWith('CAburst') && isSpoken(hook)),
  };
}

function loopDelayOf(exposition: Exposition): LoopDelays {
  const at = (quantile: string): number =>
    1000 * exposition.sum('omnivoice_event_loop_delay_seconds', { node: '0', quantile });
  return { p50Ms: at('0.5'), p99Ms: at('0.99'), maxMs: at('1') };
}

/** A port that was free a moment ago and has no listener. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return port;
}
