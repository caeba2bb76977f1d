import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { VoiceError } from '../base/errors.ts';
import { isObject } from '../base/json.ts';
import type { DataPaths } from './data-dir.ts';
import type { Kind } from './kinds.ts';
import { encryptionKeys, newEncryptionKey, newSigningSecret, signingSecrets } from './secrets.ts';
import type { Settings } from './settings.ts';

const PRIVATE_FILE = 0o600;

/** The settings with their secrets: as given, else as the data dir keeps them, else made there now. */
export function withSecrets(
  settings: Settings,
  paths: DataPaths,
  clock: Pick<Clock, 'randomBytes'>,
): Settings {
  const { signingSecret, encryptionKeys: keys } = settings;
  return {
    ...settings,
    signingSecret:
      signingSecret.length > 0
        ? signingSecret
        : keep(paths.signingSecretFile, signingSecrets, () => newSigningSecret(clock)),
    encryptionKeys:
      keys.length > 0 ? keys : keep(paths.encryptionKeysFile, encryptionKeys, () => newEncryptionKey(clock)),
  };
}

function keep<T>(file: string, kind: Kind<T>, make: () => string): T {
  const text = readIfThere(file) ?? writeOnce(file, make());
  const parsed = kind.parse(text.trim().replaceAll(/\s*\n\s*/g, ','));
  if ('value' in parsed) return parsed.value;
  throw new VoiceError('failed_precondition', `${file} ${parsed.mistake}`);
}

// Written aside and linked into place: nobody ever reads half a secret, and of two that write, one wins.
function writeOnce(file: string, text: string): string {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${text}\n`, { mode: PRIVATE_FILE, flush: true });
  try {
    linkSync(draft, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
  return readFileSync(file, 'utf8');
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return isObject(error) ? error['code'] : undefined;
}
