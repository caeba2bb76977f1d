import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { systemClock, type Clock } from '../base/clock.ts';
import { DIALECTS } from '../dialect/registry.ts';
import { loadOpus } from '../media/codecs/opus/opus.ts';
import type { ApiClient } from '../client/api-client.ts';
import {
  addAccessFlags,
  apiAccessOf,
  apiUrlOf,
  openApi,
  withAdvice,
  type AccessFlags,
} from './api-access.ts';
import { loadSound, type Sound } from './calling/audio/sound.ts';
import { CallRun, type RunObserver } from './calling/call-run.ts';
import { EventFeed } from './calling/events/event-feed.ts';
import { hasTerms } from './calling/line-terms.ts';
import {
  audioSocketPlacements,
  credentialPlacements,
  lentPlacements,
  sessionPlacements,
  type Placements,
} from './calling/placements.ts';
import { Narration } from './calling/report/narration.ts';
import { reportOf, type RunReport } from './calling/report/report.ts';
import { summaryOf } from './calling/report/summary.ts';
import { readWishes, type CallFlags, type CallWishes } from './calling/wishes.ts';
import { dialMedia } from './calling/wire/dial-media.ts';
import { onLeave } from './leaving.ts';
import { numberIn, wholeIn } from './number-flags.ts';

const SAMPLE = fileURLToPath(new URL('../../samples/hello.wav', import.meta.url));
const PROGRESS_MS = 1_000;
const EXIT_FAILED = 1;

const EXAMPLES = `
Examples:
  $ omnivoice call samples/hello.wav --as twilio --record heard.wav
  $ omnivoice call --as native --codec l16 --sample-rate 16000 --loss 5 --jitter 40
  $ omnivoice call --as plivo --codec l16 --sample-rate 16000 --auth-token secret
  $ omnivoice call --as telnyx --codec opus --option outbound_codec=OPUS
  $ omnivoice call --count 300 --rate 30 --duration 60 --offset --json

Exit code 0: every call was hung up in order and its call_completed was seen; 1: not so; 2: wrong usage.`;

/** `omnivoice call`: places calls the way a provider would, and shows what comes of them. */
export function register(program: Command): void {
  const command = program
    .command('call')
    .description('Places calls as a provider would, and shows their events as they arrive.')
    .argument('[file...]', 'WAV files, played in turn (default: the sample that comes with Omnivoice)')
    .option(
      '--as <dialect>',
      `the protocol to speak: ${DIALECTS.map(({ name }) => name).join(', ')}`,
      'twilio',
    )
    .option('--agent <id>', 'who answers: echo, silent, an agent id (default: echo)')
    .option('--from <number>', 'who calls', '+15550100')
    .option('--to <number>', 'who is called', '+15550199');
  addSpeechFlags(command);
  addLoadFlags(command);
  addLineFlags(command);
  addTermFlags(command);
  addAccessFlags(command)
    .option('--credential <url>', 'a static provider URL instead of a session for each call')
    .option('--json', 'one report as JSON, and nothing else')
    .option('--quiet', 'no live events, only the summary')
    .addHelpText('after', EXAMPLES)
    .action(async (files: string[], flags: CallFlags & AccessFlags) => {
      const report = await call(files, flags, process.env, systemClock);
      if (!report.ok) process.exitCode = EXIT_FAILED;
    });
}

function addSpeechFlags(command: Command): void {
  command
    .option('--repeat', 'play the sound again and again, until Ctrl-C')
    .option('--duration <s>', 'repeat, and hang up after so many seconds', numberIn(0.02, 86_400))
    .option('--hangup-after <ms>', 'hang up after so long, wherever the sound is', numberIn(20, 86_400_000))
    .option('--dtmf <keys>', 'keys to press, the first after a second')
    .option('--record <file>', 'write what the caller hears; of many calls, each into a file of its own');
}

function addLoadFlags(command: Command): void {
  command
    .option('--count <n>', 'how many calls', wholeIn(1, 10_000), 1)
    .option('--rate <r>', 'calls placed in a second', numberIn(0.01, 1_000), 10)
    .option('--ramp <r>', 'the same as --rate', numberIn(0.01, 1_000))
    .option(
      '--offset [ms]',
      'each call begins later in the sound: by so much, or spread evenly',
      wholeIn(0, 3_600_000),
    );
}

function addLineFlags(command: Command): void {
  command
    .option(
      '--codec <name>',
      'pcmu, pcma, l16, g722, opus: what the provider has (default: pcmu, else its first)',
    )
    .option('--sample-rate <hz>', 'of l16 (default: the first the provider has)', wholeIn(8_000, 48_000))
    .option('--channels <n>', 'jambonz, mod_audio_stream: 2 for stereo', wholeIn(1, 2))
    .option('--loss <percent>', 'native: frames that never arrive', numberIn(0, 100))
    .option('--jitter <ms>', 'native: frames are late by up to this', numberIn(0, 1_000))
    .option('--reorder <percent>', 'native: frames that arrive behind later ones', numberIn(0, 100))
    .option('--drift <ppm>', 'native: how much faster the caller’s sound card runs', numberIn(-1_000, 1_000))
    .option(
      '--seed <n>',
      'the dice of loss, jitter and reorder (default: new ones)',
      wholeIn(0, 2 ** 31 - 1),
    );
}

function addTermFlags(command: Command): void {
  const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];
  command
    .option('--option <name=value>', 'an option of the dialect (docs/dialects.md); may be repeated', collect)
    .option('--auth-token <token>', 'sign the upgrade as Twilio and Plivo do')
    .option('--signature-secret <secret>', 'sign it as Vonage, Genesys and Fonoster do')
    .option('--api-key <key>', 'show the key of Genesys, or the token of Telnyx')
    .option('--bearer <token>', 'Authorization: Bearer …')
    .option('--basic <user:password>', 'Authorization: Basic …')
    .option('--audiosocket <host:port>', 'audiosocket: where OMNIVOICE_AUDIOSOCKET_PORT listens');
}

interface CallSetup {
  readonly placements: Placements;
  readonly feed: EventFeed | undefined;
  /** Why there is no feed. */
  readonly noFeed: string | undefined;
  /** Revokes what was made for these calls. */
  readonly giveBack?: () => Promise<void>;
}

type Env = { readonly [name: string]: string | undefined };

async function call(
  files: readonly string[],
  flags: CallFlags & AccessFlags & { readonly ramp?: number },
  env: Env,
  clock: Clock,
): Promise<RunReport> {
  // Before the flags are read: whether there is Opus decides whether it may be asked for.
  await loadOpus();
  const wishes = readWishes(files.length > 0 ? files : [SAMPLE], {
    ...flags,
    rate: flags.ramp ?? flags.rate,
  });
  const sounds = wishes.files.map((file) => loadSound(file, wishes.format));
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const isTold = flags.json !== true && flags.quiet !== true;
  if (isTold) say(openingLine(wishes, sounds, apiUrlOf(flags, env)));
  const setup = await setUp(wishes, flags, env, clock);
  const narration = new Narration({ count: wishes.count, print: say, nowMs: () => clock.nowMs() });
  const report = await runCalls({ wishes, sounds, setup, clock }, isTold ? narration : undefined);
  process.stdout.write(
    flags.json === true ? `${JSON.stringify(report, null, 2)}\n` : `\n${summaryOf(report)}`,
  );
  return report;
}

/** Gets what the calls need of the API; the first session is made at once, so that a fault is said once. */
async function setUp(wishes: CallWishes, flags: AccessFlags, env: Env, clock: Clock): Promise<CallSetup> {
  const { credentialUrl, dialect, count } = wishes;
  if (credentialUrl !== null) {
    const placements = credentialPlacements(credentialUrl, dialect);
    return { placements, ...(await credentialFeed(flags, env, clock)) };
  }
  const access = apiAccessOf(flags, env);
  const api = openApi(access, clock);
  const { agentId: agent_id, from, to } = wishes;
  const wish = { agent_id, direction: 'inbound', from, to } as const;
  if (hasTerms(wishes.terms)) {
    const lent = await withAdvice(access, () => lentPlacements(api, dialect, wishes));
    return { ...lent, ...(await credentialFeed(flags, env, clock)) };
  }
  const create =
    wishes.audioSocket === null
      ? sessionPlacements(api, wish, dialect)
      : audioSocketPlacements(api, wish, wishes.audioSocket);
  const first = await withAdvice(access, create);
  const feed = openFeed(api, clock, count === 1 ? first.callId : null);
  await feed.open();
  let isFirst = true;
  const placements: Placements = () => {
    if (!isFirst) return create();
    isFirst = false;
    return Promise.resolve(first);
  };
  return { placements, feed, noFeed: undefined };
}

// A provider's URL works without the API; then the calls go on without their events.
async function credentialFeed(
  flags: AccessFlags,
  env: Env,
  clock: Clock,
): Promise<Pick<CallSetup, 'feed' | 'noFeed'>> {
  try {
    const access = apiAccessOf(flags, env);
    const api = openApi(access, clock);
    await withAdvice(access, () => api.listCalls({ limit: 1 }));
    const feed = openFeed(api, clock, null);
    await feed.open();
    return { feed, noFeed: undefined };
  } catch (error) {
    return { feed: undefined, noFeed: error instanceof Error ? error.message : String(error) };
  }
}

function openFeed(api: ApiClient, clock: Clock, callId: string | null): EventFeed {
  const stream = (wish: Parameters<ApiClient['eventStream']>[0]) => api.eventStream(wish);
  return new EventFeed({ clock, stream, ...(callId !== null && { callId }) });
}

interface RunParts {
  readonly wishes: CallWishes;
  readonly sounds: readonly Sound[];
  readonly setup: CallSetup;
  readonly clock: Clock;
}

async function runCalls(parts: RunParts, narration: Narration | undefined): Promise<RunReport> {
  const { wishes, sounds, setup, clock } = parts;
  const { feed, placements, noFeed } = setup;
  const seed = wishes.seed ?? clock.randomBytes(4).readUInt32BE() >>> 1;
  const observer: RunObserver = narration ?? {};
  const run = new CallRun({
    clock,
    dial: dialMedia,
    wishes,
    sounds,
    placements,
    seed,
    observer,
    ...(feed !== undefined && { feed }),
  });
  const startAtMs = clock.nowMs();
  onLeave(clock, () => run.hangUp());
  const stopProgress = every(clock, PROGRESS_MS, () => narration?.progress());
  try {
    await run.run();
  } finally {
    stopProgress();
    feed?.close();
    await setup.giveBack?.();
  }
  return reportOf({
    dialect: wishes.dialect.name,
    agentId: wishes.agentId,
    calls: run.calls,
    mostCalls: run.stats.mostCalls,
    durationMs: clock.nowMs() - startAtMs,
    isImpaired: wishes.impairment !== null,
    seed: wishes.impairment === null ? null : seed,
    eventsFailure: noFeed ?? feed?.failure ?? null,
  });
}

function openingLine(
  { dialect, agentId, count, ratePerS, credentialUrl }: CallWishes,
  sounds: readonly Sound[],
  url: string,
) {
  const calls = count === 1 ? 'Calling' : `Placing ${count} calls, ${ratePerS} a second,`;
  const names = sounds.map(({ name, frames }) => `${name} (${(frames.length / 50).toFixed(1)} s)`).join(', ');
  const where = credentialUrl === null ? url : new URL(credentialUrl).host;
  return `${calls} as ${dialect.name}: ${names}${agentId === null ? '' : `, agent ${agentId}`}, ${where}`;
}

function every(clock: Clock, periodMs: number, task: () => void): () => void {
  let cancel = (): void => undefined;
  const next = (): void => {
    cancel = clock.after(periodMs, () => {
      task();
      next();
    });
  };
  next();
  return () => cancel();
}
