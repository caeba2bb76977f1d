import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { leaveRunDir, lockDataDir, prepareDataDir, runDirOf } from '../../src/config/data-dir.ts';
import { withSecrets } from '../../src/config/data-secrets.ts';
import { readSettings } from '../../src/config/read-settings.ts';
import type { Settings } from '../../src/config/settings.ts';

let folder: string;
let dataDir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'omnivoice-data-'));
  dataDir = join(folder, 'deep/data');
});
afterEach(() => rmSync(folder, { recursive: true }));

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

function settingsOf(env: Record<string, string>): Settings {
  const read = readSettings({ env, cores: 2 });
  if ('mistakes' in read) throw new Error(read.mistakes.join('\n'));
  return read.settings;
}

const LOCKER = `
import { leaveRunDir, lockDataDir, prepareDataDir } from ${JSON.stringify(join(import.meta.dirname, '../../src/config/data-dir.ts'))};
const lock = lockDataDir(prepareDataDir(process.argv[1]));
console.log('locked');
setInterval(() => lock, 1000);
`;

async function lockElsewhere(path: string): Promise<ChildProcess> {
  const args = ['--input-type=module', '-e', LOCKER, path];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

describe('the data dir', () => {
  it('is made for us alone, with its folders', () => {
    const paths = prepareDataDir(dataDir);
    const modes = [paths.dataDir, paths.spoolDir, paths.tokensDir, paths.runDir].map(modeOf);
    expect(modes).toEqual([0o700, 0o700, 0o700, 0o700]);
    expect(prepareDataDir(dataDir)).toEqual(paths);
    rmSync(paths.runDir, { recursive: true });
  });

  it('is for one process at a time, and free again when that is killed', async () => {
    const other = await lockElsewhere(dataDir);
    const paths = prepareDataDir(dataDir);
    expect(() => lockDataDir(paths)).toThrow(/deep\/data is in use by another "omnivoice serve"/);
    other.kill('SIGKILL');
    await once(other, 'exit');
    const lock = lockDataDir(paths);
    expect(() => lockDataDir(paths)).toThrow(/in use/);
    await lock.close();
    await lockDataDir(paths).close();
    rmSync(paths.runDir, { recursive: true });
  });

  it('that cannot be made says so', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => prepareDataDir(join(folder, 'file/data'))).toThrow(/cannot be made/);
  });
});

describe('the run dir', () => {
  it('is the same by whatever name the data dir goes, short, and ours alone', () => {
    const { runDir } = prepareDataDir(dataDir);
    symlinkSync(dataDir, join(folder, 'alias'));
    expect(runDirOf(join(folder, 'alias'))).toBe(runDir);
    expect(runDir).toMatch(/^\/tmp\/omnivoice-\d+-[0-9a-f]{8}$/);
    chmodSync(runDir, 0o755);
    expect(() => prepareDataDir(dataDir)).toThrow(/not a folder of ours alone/);
    rmSync(runDir, { recursive: true });
  });
});

describe('the run dir that is left', () => {
  it('goes when it is empty, and stays while somebody has a socket there', () => {
    const paths = prepareDataDir(dataDir);
    const socket = join(paths.runDir, 'n0-left.sock');
    writeFileSync(socket, '');
    leaveRunDir(paths);
    expect(existsSync(paths.runDir)).toBe(true);
    rmSync(socket);
    leaveRunDir(paths);
    leaveRunDir(paths);
    expect(existsSync(paths.runDir)).toBe(false);
  });
});

describe('secrets', () => {
  it('are made once, kept for us alone, and found again', () => {
    const paths = prepareDataDir(dataDir);
    const made = withSecrets(settingsOf({}), paths, systemClock);
    expect(made.signingSecret[0]!.length).toBeGreaterThanOrEqual(32);
    expect(made.encryptionKeys[0]!.key).toHaveLength(32);
    expect([modeOf(paths.signingSecretFile), modeOf(paths.encryptionKeysFile)]).toEqual([0o600, 0o600]);
    expect(withSecrets(settingsOf({}), paths, systemClock)).toEqual(made);
    rmSync(paths.runDir, { recursive: true });
  });

  it('that were given are used, and not written', () => {
    const paths = prepareDataDir(dataDir);
    const given = settingsOf({
      OMNIVOICE_SIGNING_SECRET: 'x'.repeat(32),
      OMNIVOICE_ENCRYPTION_KEYS: `k:${Buffer.alloc(32).toString('base64')}`,
    });
    expect(withSecrets(given, paths, systemClock)).toEqual(given);
    expect(() => readFileSync(paths.signingSecretFile)).toThrow(/ENOENT/);
    rmSync(paths.runDir, { recursive: true });
  });

  it('that a person spoiled stop the start, unseen', () => {
    const paths = prepareDataDir(dataDir);
    writeFileSync(paths.signingSecretFile, 'spoiled\n');
    expect(() => withSecrets(settingsOf({}), paths, systemClock)).toThrow(
      /signing-secret has a secret shorter than/,
    );
    rmSync(paths.runDir, { recursive: true });
  });
});
