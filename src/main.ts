import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { systemClock } from './base/clock.ts';
import { VoiceError } from './base/errors.ts';
import { newIncarnation } from './base/ids.ts';
import { VERSION } from './config/version.ts';
import { addSettingFlags, settingsOf } from './cli/settings-flags.ts';
import { prepareDataDir } from './config/data-dir.ts';
import { withSecrets } from './config/data-secrets.ts';
import type { Settings } from './config/settings.ts';

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Loaded only when invoked: a start does not pay for what it does not use. */
  readonly load: () => Promise<{ register(program: Command): void }>;
}

const COMMANDS: readonly CommandEntry[] = [
  { name: 'serve', summary: 'run the whole house on this host', load: ours(registerServe) },
  { name: 'control', summary: 'run the control process alone', load: ours(registerControl) },
  { name: 'node', summary: 'run one media node alone', load: ours(registerNode) },
  { name: 'call', summary: 'place calls as a provider would', load: () => import('./cli/call.ts') },
  { name: 'listen', summary: 'receive hooks on this machine', load: () => import('./cli/listen.ts') },
  { name: 'keys', summary: 'list, make, revoke, rotate API keys', load: () => import('./cli/keys.ts') },
  { name: 'hooks', summary: 'hook endpoints, what they were sent', load: () => import('./cli/hooks.ts') },
  { name: 'events', summary: 'follow events as they happen', load: () => import('./cli/events.ts') },
  { name: 'calls', summary: 'list calls, show one, hang up', load: () => import('./cli/calls.ts') },
  {
    name: 'cluster',
    summary: 'regions, nodes, and where calls go',
    load: () => import('./cli/cluster/cluster.ts'),
  },
  {
    name: 'cluster-demo',
    summary: 'two regions on this machine, one killed under its calls',
    load: () => import('./cli/demonstrating/cluster-demo.ts'),
  },
  {
    name: 'analyse',
    summary: 'run a recording through the runtime’s ears',
    load: () => import('./cli/analyse.ts'),
  },
];

const EXIT_FAILED = 1;
const EXIT_WRONG_USAGE = 2;
const PROGRAM = fileURLToPath(new URL('../bin/omnivoice.js', import.meta.url));

/** Runs the command that the arguments name. Exit code 0: done, 1: failed, 2: wrong usage. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    const args = withCommand(argv);
    const program = await openProgram(args[0] === 'help' ? args[1] : args[0]);
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
}

// `npm start` and `omnivoice --port 9000` mean serve.
function withCommand(argv: readonly string[]): string[] {
  const [first] = argv;
  const isServe =
    first === undefined || (first.startsWith('-') && !/^(?:-h|--help|-V|--version)$/.test(first));
  return isServe ? ['serve', ...argv] : [...argv];
}

async function openProgram(invoked: string | undefined): Promise<Command> {
  const program = new Command('omnivoice')
    .description('Realtime voice runtime: telephony audio in, signed events out.')
    .version(VERSION)
    .addHelpText('after', '\nExample:\n  $ omnivoice serve --port 9000 --media-port 9001')
    .exitOverride();
  for (const { name, summary, load } of COMMANDS) {
    if (name === invoked) (await load()).register(program);
    else program.command(name).description(summary);
  }
  return program;
}

function exitCodeOf(error: unknown): number {
  // Commander has said what was wrong, or shown the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_WRONG_USAGE;
  if (error instanceof VoiceError) {
    process.stderr.write(`omnivoice: ${error.message}\n`);
    return error.code === 'invalid_argument' ? EXIT_WRONG_USAGE : EXIT_FAILED;
  }
  process.stderr.write(
    `omnivoice: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return EXIT_FAILED;
}

function ours(register: (program: Command) => void): CommandEntry['load'] {
  return () => Promise.resolve({ register });
}

function registerServe(program: Command): void {
  const command = program
    .command('serve')
    .description('Runs the control process and the media nodes of this host until SIGTERM or Ctrl-C.')
    .option('--json', 'say that it is ready as one JSON line')
    .addHelpText(
      'after',
      '\nExample:\n  $ omnivoice serve --port 9000 --media-port 9001 --data-dir /var/lib/omnivoice',
    );
  addSettingFlags(command).action(async (options: { readonly json?: boolean }) => {
    const settings = readOrExplain(command);
    if (settings === undefined) return;
    const [{ serve }, { openLogger }] = await Promise.all([
      import('./cli/serve.ts'),
      import('./telemetry/logger.ts'),
    ]);
    process.exitCode = await serve({
      settings,
      clock: systemClock,
      log: openLogger({ level: settings.logLevel, base: { plane: 'serve' } }),
      version: VERSION,
      json: options.json ?? false,
      startedAtMs: systemClock.nowMs() - process.uptime() * 1000,
      program: PROGRAM,
      env: process.env,
      print: (text) => process.stdout.write(text),
      printError: (text) => process.stderr.write(text),
    });
  });
}

function registerControl(program: Command): void {
  const command = program
    .command('control')
    .description('Runs the control process alone; serve does so, and keeps it running.')
    .addHelpText('after', '\nExample:\n  $ omnivoice control --data-dir /var/lib/omnivoice');
  addSettingFlags(command).action(async () => {
    const settings = readOrExplain(command);
    if (settings === undefined) return;
    const { runControl } = await import('./control/main.ts');
    await runControl(withOwnSecrets(settings));
  });
}

function registerNode(program: Command): void {
  const command = program
    .command('node')
    .description('Runs one media node alone; serve does so, and keeps it running.')
    .option('--index <number>', 'number of the node on this host', '0')
    .option('--incarnation <id>', 'name of this life of the node; made where it is not given')
    .addHelpText('after', '\nExample:\n  $ omnivoice node --index 1 --data-dir /var/lib/omnivoice');
  addSettingFlags(command).action(
    async (options: { readonly index: string; readonly incarnation?: string }) => {
      const settings = readOrExplain(command);
      const index = Number(options.index);
      if (!/^\d{1,2}$/.test(options.index)) {
        throw new VoiceError('invalid_argument', `--index "${options.index}" is not a node's number`);
      }
      if (settings === undefined) return;
      const { runNode } = await import('./node/main.ts');
      const incarnation = options.incarnation ?? newIncarnation(index, systemClock);
      await runNode(withOwnSecrets(settings), { index, incarnation });
    },
  );
}

function withOwnSecrets(settings: Settings): Settings {
  return withSecrets(settings, prepareDataDir(settings.dataDir), systemClock);
}

/** The settings; or undefined, with every mistake told and the exit code set. */
function readOrExplain(command: Command): Settings | undefined {
  const read = settingsOf(command, process.env);
  if ('settings' in read) return read.settings;
  const count = read.mistakes.length === 1 ? 'a mistake' : `${read.mistakes.length} mistakes`;
  const lines = read.mistakes.map((mistake) => `  ${mistake}`).join('\n');
  process.stderr.write(
    `omnivoice: ${count} in the settings\n${lines}\n"omnivoice serve --help" lists every setting.\n`,
  );
  process.exitCode = EXIT_WRONG_USAGE;
  return undefined;
}
