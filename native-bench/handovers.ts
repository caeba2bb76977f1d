import type { JsonObject } from '../src/base/json.ts';
import { Guest, type Ticket } from '../test/live/guest.ts';
import { HookReceiver } from '../test/live/hooks.ts';
import { House, until } from '../test/live/house.ts';
import { TwilioCaller } from '../test/live/twilio-caller.ts';
import { distributionOf } from './load/distribution.ts';
import type { BenchOptions, Report } from './report.ts';

const MODES = ['cold', 'warm', 'whisper'] as const;
type Mode = (typeof MODES)[number];

const RUNS_OF_EACH = 40;
const TARGET_P99_MS = 20;
/** The human's frames are numbered by their sample: so many at most. */
const FRAMES = 60;
const FIRST_CODE = 0x80;
const frameAt = (index: number): Buffer => Buffer.alloc(160, FIRST_CODE + index);

/** One handover, measured outside the house: at its sockets and at its hook's receiver. */
interface Run {
  readonly mode: Mode;
  /** From the command's request to the hook. */
  readonly startedMs: number;
  /** From the human's first frame (cold) or the word to complete it, to the hook. */
  readonly successMs: number;
  /** Of the human's frames, those nobody heard, and those somebody heard twice. */
  readonly missingFrames: number;
  readonly doubledFrames: number;
}

/** A caller by Twilio, an agent and a human by `native`, one after the other, in a whole house. */
export async function benchHandovers(options: BenchOptions): Promise<Report> {
  const house = await House.open({ BARGE_IN: 'ignore', LOOP_DELAY_MAX_MS: '0' });
  const hooks = new HookReceiver();
  try {
    await hooks.open();
    const wish = { url: hooks.url, events: ['*'] };
    hooks.secret = (await house.api<{ secret: string }>('POST', '/webhooks', wish)).secret;
    const made = { dialect: 'twilio' };
    const { url } = await house.api<{ url: string }>('POST', '/voice/stream-credentials', made);
    const runs: Run[] = [];
    // The first of each mode meets code that was never run.
    for (const mode of MODES) await handOver(house, hooks, url, mode);
    for (let i = 0; i < (options.isSmoke ? 1 : RUNS_OF_EACH); i++) {
      for (const mode of MODES) runs.push(await handOver(house, hooks, url, mode));
    }
    return reportOf(runs);
  } finally {
    await house.close();
    await hooks.kill();
  }
}

async function handOver(house: House, hooks: HookReceiver, url: string, mode: Mode): Promise<Run> {
  const caller = await TwilioCaller.dial(url);
  void caller.speak(Buffer.alloc(160, 0xff), true);
  const known = new Set(hooks.callIds);
  await until('the call', () => hooks.callIds.some((id) => !known.has(id)));
  const callId = hooks.callIds.find((id) => !known.has(id))!;
  const ask = <T>(path: string, body: object): Promise<T> =>
    house.api<T>('POST', `/calls/${callId}/${path}`, body);
  const agent = await Guest.join(await ask<Ticket>('legs', { role: 'agent' }));
  const askedAtUnixMs = unixMs();
  const args: JsonObject = { target: { type: 'queue', to: 'sales' }, hold: 'silence', mode };
  const { handover_id, join } = await ask<{ handover_id: string; join: Ticket }>('handover', args);
  const human = await Guest.join(join);
  let switchedAtUnixMs = unixMs();
  const spoken = human.speak(frameAt, FRAMES);
  if (mode !== 'cold') {
    await until('the human', () => numbersIn(agent.heard).length > 15);
    switchedAtUnixMs = unixMs();
    await ask(`handover/${handover_id}/complete`, {});
  }
  await spoken;
  await until('the last word', () => numbersIn(caller.heard).at(-1) === FRAMES - 1);
  const heard = [...numbersIn(agent.heard), ...numbersIn(caller.heard)];
  const run = {
    mode,
    startedMs: (await arrivalOf(hooks, callId, 'handover_started')) - askedAtUnixMs,
    successMs: (await arrivalOf(hooks, callId, 'transfer_success')) - switchedAtUnixMs,
    missingFrames: FRAMES - new Set(heard).size,
    doubledFrames: heard.length - new Set(heard).size,
  };
  caller.hangUp();
  await arrivalOf(hooks, callId, 'call_completed');
  return run;
}

/** When the hook was there, on the clock of this process. */
async function arrivalOf(hooks: HookReceiver, callId: string, type: string): Promise<number> {
  const find = () =>
    hooks.received.find(({ envelope }) => envelope.resource.id === callId && envelope.type === type);
  await until(type, () => find() !== undefined);
  return find()!.atUnixMs;
}

function numbersIn(heard: readonly Buffer[]): number[] {
  return heard.map((frame) => frame[80]! - FIRST_CODE).filter((index) => index >= 0 && index < FRAMES);
}

function unixMs(): number {
  return performance.timeOrigin + performance.now();
}

function reportOf(runs: readonly Run[]): Report {
  const rows = MODES.map((mode) => {
    const own = runs.filter((run) => run.mode === mode);
    const started = distributionOf(own.map(({ startedMs }) => startedMs));
    const success = distributionOf(own.map(({ successMs }) => successMs));
    const missing = own.reduce((sum, run) => sum + run.missingFrames, 0);
    const doubled = own.reduce((sum, run) => sum + run.doubledFrames, 0);
    return [
      mode,
      own.length,
      started.p50,
      started.p99,
      started.max,
      success.p50,
      success.p99,
      success.max,
      missing,
      doubled,
    ];
  });
  const broken = runs.filter((run) => run.missingFrames + run.doubledFrames > 0).length;
  return {
    name: 'handovers',
    tables: [
      {
        title: `from the command to handover_started, from the human to transfer_success: ${TARGET_P99_MS} ms wanted`,
        columns: ['mode', 'runs', 'p50', 'p99', 'max ms', 'p50', 'p99', 'max ms', 'missing', 'doubled'],
        rows,
      },
    ],
    failures: broken === 0 ? [] : [`${broken} handovers lost or doubled a frame of the human`],
    figures: { runs },
  };
}
