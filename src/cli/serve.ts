import type { Clock } from '../base/clock.ts';
import { leaveRunDir, lockDataDir, makeFolder, prepareDataDir } from '../config/data-dir.ts';
import { withSecrets } from '../config/data-secrets.ts';
import { settingsToEnv, withoutSettings } from '../config/read-settings.ts';
import type { Settings } from '../config/settings.ts';
import { banner, readyLine } from './supervision/banner.ts';
import { childProcesses } from './supervision/child-process.ts';
import { findPorts } from './supervision/ports.ts';
import { Supervisor, type SupervisorLog } from './supervision/supervisor.ts';

export interface ServeOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: SupervisorLog;
  readonly version: string;
  /** Says `ready` as one JSON line instead of a banner. */
  readonly json: boolean;
  /** When the process began, for the time to ready. */
  readonly startedAtMs: number;
  /** What a child runs: `bin/omnivoice.js`. */
  readonly program: string;
  readonly env: { readonly [name: string]: string | undefined };
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
}

/** Runs the whole house on this host until it is told to leave; answers the exit code. */
export async function serve(options: ServeOptions): Promise<number> {
  const { dataDir, recordingsDir } = options.settings;
  const paths = prepareDataDir(dataDir);
  // Nodes make it too; without it none of them could start, and each would be started again for ever.
  if (recordingsDir !== undefined) makeFolder(recordingsDir);
  const lock = lockDataDir(paths);
  try {
    const ports = await findPorts(options.settings);
    if ('mistakes' in ports) {
      options.printError(`${ports.mistakes.join('\n')}\n`);
      return 1;
    }
    const { port, mediaPort } = ports;
    const placed = { ...options.settings, dataDir: paths.dataDir, port, mediaPort };
    return await supervise(options, withSecrets(placed, paths, options.clock));
  } finally {
    leaveRunDir(paths);
    await lock.close();
  }
}

async function supervise(options: ServeOptions, settings: Settings): Promise<number> {
  const { clock, log, json, version, print } = options;
  const env = { ...withoutSettings(options.env), ...settingsToEnv(settings) };
  const supervisor = new Supervisor({
    clock,
    log,
    startChild: childProcesses(options.program, env),
    mediaNodes: settings.mediaNodes,
    watchdogMs: settings.watchdogMs,
    drainDeadlineMs: settings.drainDeadlineMs,
    onReady: (facts) => {
      const report = { version, settings, facts, readyMs: clock.nowMs() - options.startedAtMs };
      print(json ? readyLine(report) : banner(report));
    },
  });
  const stopListening = listenToSignals(supervisor);
  try {
    return await supervisor.ended;
  } finally {
    stopListening();
  }
}

function listenToSignals(supervisor: Supervisor): () => void {
  const onLeave = (): void => supervisor.signal();
  const onReload = (): void => supervisor.reload();
  process.on('SIGTERM', onLeave).on('SIGINT', onLeave).on('SIGHUP', onReload);
  return () => process.off('SIGTERM', onLeave).off('SIGINT', onLeave).off('SIGHUP', onReload);
}
