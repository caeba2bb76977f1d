import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, realpathSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, VoiceError } from '../base/errors.ts';
import type { Closeable } from '../base/lifetime.ts';

/** Where everything lies in the data dir, and the short folder of sockets that belongs to it. */
export interface DataPaths {
  readonly dataDir: string;
  /** The embedded store. */
  readonly storeFile: string;
  /** One file for each incarnation of a media node. */
  readonly spoolDir: string;
  /** One file for each session token that was used. */
  readonly tokensDir: string;
  /** Where recordings lie, unless a setting says otherwise; made with the first of them. */
  readonly recordingsDir: string;
  /** The key of the command line on this machine. */
  readonly cliKeyFile: string;
  readonly signingSecretFile: string;
  readonly encryptionKeysFile: string;
  readonly lockFile: string;
  /** For Unix sockets, whose paths must be short. */
  readonly runDir: string;
}

const PRIVATE_DIR = 0o700;

/** Makes the data dir and its folders where they are missing. */
export function prepareDataDir(dataDir: string): DataPaths {
  const paths = pathsOf(dataDir);
  for (const folder of [paths.spoolDir, paths.tokensDir]) makeFolder(folder);
  makeRunDir(paths.runDir);
  return paths;
}

/** Takes the data dir for this process alone; the lock goes with the process, however that ends. */
export function lockDataDir(paths: Pick<DataPaths, 'dataDir' | 'lockFile'>): Closeable {
  // SQLite's exclusive lock is a record lock of the kernel: it leaves no stale file, and no id of a dead
  // process.
  const lock = new DatabaseSync(paths.lockFile, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!/locked|busy/i.test(messageOf(error))) throw error;
    const holder = `${paths.dataDir} is in use by another "omnivoice serve"`;
    const sentence = `${holder}: stop it, or choose another --data-dir`;
    throw new VoiceError('conflict', sentence, { cause: error });
  }
  return { close: () => lock.close() };
}

/** The run dir of a data dir: the same for every process that uses the same folder, however it names it. */
export function runDirOf(dataDir: string): string {
  const digest = createHash('sha256').update(realpathSync(dataDir)).digest('hex');
  return `/tmp/omnivoice-${ownUid()}-${digest.slice(0, 8)}`;
}

/** Takes the run dir away, unless somebody who was left behind still has a socket there. */
export function leaveRunDir({ runDir }: Pick<DataPaths, 'runDir'>): void {
  try {
    rmdirSync(runDir);
  } catch {
    // Not empty, or gone already: neither is ours to mend.
  }
}

function pathsOf(given: string): DataPaths {
  makeFolder(given);
  const dataDir = realpathSync(given);
  return {
    dataDir,
    storeFile: join(dataDir, 'omnivoice.db'),
    spoolDir: join(dataDir, 'spool'),
    tokensDir: join(dataDir, 'tokens'),
    recordingsDir: join(dataDir, 'recordings'),
    cliKeyFile: join(dataDir, 'cli-key'),
    signingSecretFile: join(dataDir, 'signing-secret'),
    encryptionKeysFile: join(dataDir, 'encryption-keys'),
    lockFile: join(dataDir, 'lock.db'),
    runDir: runDirOf(dataDir),
  };
}

/** Makes a folder for us alone where it is missing. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: PRIVATE_DIR });
  } catch (error) {
    const sentence = `${folder} cannot be made: ${messageOf(error)}`;
    throw new VoiceError('failed_precondition', sentence, { cause: error });
  }
}

// Anybody may write to /tmp: a folder somebody else put there could hand our sockets to them.
function makeRunDir(runDir: string): void {
  makeFolder(runDir);
  const stat = lstatSync(runDir);
  const isOurs = stat.isDirectory() && stat.uid === ownUid() && (stat.mode & 0o077) === 0;
  if (isOurs) return;
  throw new VoiceError('failed_precondition', `${runDir} is not a folder of ours alone: remove it`);
}

function ownUid(): number {
  return process.getuid?.() ?? 0;
}
