import type { JsonObject } from '../src/base/json.ts';
import { OPENAI_KEY, OpenAiRealtimeServer } from '../test/fakes/openai-realtime-server.ts';
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
const FRAME_BYTES = 160;
const frameAt = (index: number): Buffer => Buffer.alloc(FRAME_BYTES, FIRST_CODE + index);

const AGENTS = ['native', 'openai'] as const;
type AgentKind = (typeof AGENTS)[number];

/** Who has the caller first, and what it has heard so far, 20 ms each. */
interface Agents {
  readonly url: string;
  /** Of the call that was just placed. */
  join(callId: string): Promise<{ readonly heard: readonly Buffer[] }>;
  close(): Promise<void>;
}

/** One handover, measured outside the house: at its sockets and at its hook's receiver. */
interface Run {
  readonly agent: AgentKind;
  readonly mode: Mode;
  /** From the command's request to the hook. */
  readonly startedMs: number;
  /** From the first of the human's frames the caller heard, as it was sent, to the hook. */
  readonly successMs: number;
  /** Of the human's frames, those nobody heard, and those somebody heard twice. */
  readonly missingFrames: number;
  readonly doubledFrames: number;
}

/**
 * A caller by Twilio, an agent and a human by `native`, one after the other, in a whole house. The agent is
 * invited and speaks `native`, or was dialled and speaks as OpenAI's Realtime API does.
 */
export async function benchHandovers(options: BenchOptions): Promise<Report> {
  const house = await House.open({
    BARGE_IN: 'ignore',
    LOOP_DELAY_MAX_MS: '0',
    EGRESS_ALLOW: '127.0.0.0/8,::1/128',
  });
  const hooks = new HookReceiver();
  const opened: Agents[] = [];
  try {
    await hooks.open();
    const wish = { url: hooks.url, events: ['*'] };
    hooks.secret = (await house.api<{ secret: string }>('POST', '/webhooks', wish)).secret;
    const runs: Run[] = [];
    for (const agent of AGENTS.filter((kind) => options.agent === null || options.agent === kind)) {
      const agents = agent === 'openai' ? await openaiAgents(house) : await nativeAgents(house);
      opened.push(agents);
      const scene = { house, hooks, agents, agent };
      // The first of each mode meets code that was never run.
      if (!options.isSmoke) for (const mode of MODES) await handOver(scene, mode);
      for (let i = 0; i < (options.isSmoke ? 1 : RUNS_OF_EACH); i++) {
        for (const mode of MODES) runs.push(await handOver(scene, mode));
      }
    }
    return reportOf(runs);
  } finally {
    await house.close();
    for (const agents of opened) await agents.close();
    await hooks.kill();
  }
}

async function nativeAgents(house: House): Promise<Agents> {
  return {
    url: await credentialOf(house, {}),
    join: async (callId) =>
      await Guest.join(await house.api<Ticket>('POST', `/calls/${callId}/legs`, { role: 'agent' })),
    close: async () => {},
  };
}

async function openaiAgents(house: House): Promise<Agents> {
  const server = await OpenAiRealtimeServer.open('ga', false);
  server.isHoldingResponses = true;
  const key = house.ready.api_key;
  const own = { name: 'own', dialect: 'openai-realtime', url: server.url, model: 'm', api_key: OPENAI_KEY };
  const wish = { name: 'Front desk', barge_in: 'ignore', backends: [own] };
  const { id } = await house.api<{ id: string }>('POST', '/agents', wish, key);
  await house.api('POST', `/agents/${id}/publish`, {}, key);
  return {
    url: await credentialOf(house, { agent_id: id }),
    join: async () => {
      const ear = new AppendedAudio(server.heard);
      await until('the caller at the agent', () => ear.heard.length > 0);
      return ear;
    },
    close: () => server.close(),
  };
}

/** What one session was sent, in frames: however much of it came at once. */
class AppendedAudio {
  readonly #appended: Buffer[];

  constructor(appended: Buffer[]) {
    appended.length = 0;
    this.#appended = appended;
  }

  get heard(): readonly Buffer[] {
    const audio = Buffer.concat(this.#appended);
    return Array.from({ length: Math.floor(audio.length / FRAME_BYTES) }, (_, i) =>
      audio.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES),
    );
  }
}

async function credentialOf(house: House, wish: object): Promise<string> {
  const made = { dialect: 'twilio', ...wish };
  return (await house.api<{ url: string }>('POST', '/voice/stream-credentials', made)).url;
}

interface Scene {
  readonly house: House;
  readonly hooks: HookReceiver;
  readonly agents: Agents;
  readonly agent: AgentKind;
}

async function handOver({ house, hooks, agents, agent: kind }: Scene, mode: Mode): Promise<Run> {
  const known = new Set(hooks.callIds);
  const caller = await TwilioCaller.dial(agents.url);
  void caller.speak(Buffer.alloc(FRAME_BYTES, 0xff), true);
  await until('the call', () => hooks.callIds.some((id) => !known.has(id)));
  const callId = hooks.callIds.find((id) => !known.has(id))!;
  const ask = <T>(path: string, body: object): Promise<T> =>
    house.api<T>('POST', `/calls/${callId}/${path}`, body);
  const agent = await agents.join(callId);
  const askedAtUnixMs = unixMs();
  const args: JsonObject = { target: { type: 'queue', to: 'sales' }, hold: 'silence', mode };
  const { handover_id, join } = await ask<{ handover_id: string; join: Ticket }>('handover', args);
  const human = await Guest.join(join);
  const sentAtUnixMs: number[] = [];
  const spoken = human.speak((index) => {
    sentAtUnixMs.push(unixMs());
    return frameAt(index);
  }, FRAMES);
  if (mode !== 'cold') {
    await until('the human', () => numbersIn(agent.heard).length > 15);
    await ask(`handover/${handover_id}/complete`, {});
  }
  await spoken;
  await until('the last word', () => numbersIn(caller.heard).at(-1) === FRAMES - 1);
  const heard = [...numbersIn(agent.heard), ...numbersIn(caller.heard)];
  const run = {
    agent: kind,
    mode,
    startedMs: (await arrivalOf(hooks, callId, 'handover_started')) - askedAtUnixMs,
    successMs:
      (await arrivalOf(hooks, callId, 'transfer_success')) - sentAtUnixMs[numbersIn(caller.heard)[0]!]!,
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
  const kinds = AGENTS.flatMap((agent) => MODES.map((mode) => ({ agent, mode })));
  const measured = kinds.filter(({ agent }) => runs.some((run) => run.agent === agent));
  const rows = measured.map(({ agent, mode }) => {
    const own = runs.filter((run) => run.agent === agent && run.mode === mode);
    const started = distributionOf(own.map(({ startedMs }) => startedMs));
    const success = distributionOf(own.map(({ successMs }) => successMs));
    const missing = own.reduce((sum, run) => sum + run.missingFrames, 0);
    const doubled = own.reduce((sum, run) => sum + run.doubledFrames, 0);
    return [
      `${agent}, ${mode}`,
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
        title: `command to handover_started, human's first frame to transfer_success: ${TARGET_P99_MS} ms wanted`,
        columns: [
          'agent, mode',
          'runs',
          'p50',
          'p99',
          'max ms',
          'p50',
          'p99',
          'max ms',
          'missing',
          'doubled',
        ],
        rows,
      },
    ],
    failures: broken === 0 ? [] : [`${broken} handovers lost or doubled a frame of the human`],
    figures: { runs },
  };
}
