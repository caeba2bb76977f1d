import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { newApiKey } from '../api/api-key.ts';
import type { KeyStore } from '../api/ports.ts';
import type { Clock } from '../base/clock.ts';
import { sha256Hex } from '../base/secret.ts';

export const DEFAULT_WORKSPACE = 'ws_default';

const CLI_KEY_NAME = 'command line of this machine';
/** What the command line and the examples of the pages do, and no more. */
const CLI_SCOPES = [
  'calls:read',
  'calls:write',
  'voice:connect',
  'events:read',
  'webhooks:manage',
  'keys:manage',
  'agents:read',
  'agents:write',
  'ops',
];
/** Load is placed from the command line too. */
const CLI_RATE_PER_MINUTE = 6000;

export interface BootstrapOptions {
  readonly keys: KeyStore;
  readonly clock: Clock;
  /** `OMNIVOICE_API_KEY`, where the operator brought one. */
  readonly apiKey: string | undefined;
  /** Where the command line finds its key; undefined where HOST is not loopback. */
  readonly cliKeyFile: string | undefined;
}

/**
 * Makes sure that somebody can come in. Returns the first key's secret when it was made just now: shown
 * once.
 */
export async function bootstrapKeys(options: BootstrapOptions): Promise<string | undefined> {
  const { keys, clock, apiKey, cliKeyFile } = options;
  const isFirstStart = (await keys.count()) === 0;
  if (cliKeyFile !== undefined) await ensureCliKey(keys, clock, cliKeyFile);
  if (apiKey !== undefined) {
    await ensureBootstrapKey(keys, clock, apiKey);
    return undefined;
  }
  if (!isFirstStart) return undefined;
  const { key, secret } = newApiKey({ workspaceId: DEFAULT_WORKSPACE, name: 'first key' }, clock);
  await keys.create(key);
  return secret;
}

async function ensureBootstrapKey(keys: KeyStore, clock: Clock, secret: string): Promise<void> {
  const isKnown = async () => (await keys.byHash(sha256Hex(secret))) !== undefined;
  if (await isKnown()) return;
  const { key } = newApiKey({ workspaceId: DEFAULT_WORKSPACE, name: 'bootstrap', secret }, clock);
  try {
    await keys.create(key);
  } catch (error) {
    // Hosts that share a store start at the same time, and one of them was first.
    if (!(await isKnown())) throw error;
  }
}

async function ensureCliKey(keys: KeyStore, clock: Clock, file: string): Promise<void> {
  const secretKept = readSecret(file);
  const known = secretKept === undefined ? undefined : await keys.byHash(sha256Hex(secretKept));
  if (known !== undefined) {
    // Made by a command line that could do less.
    const isEnough = CLI_SCOPES.every((scope) => known.scopes.includes(scope));
    if (!isEnough) await keys.update(known.workspaceId, known.id, { scopes: CLI_SCOPES });
    return;
  }
  const { key, secret } = newApiKey(
    {
      workspaceId: DEFAULT_WORKSPACE,
      name: CLI_KEY_NAME,
      scopes: CLI_SCOPES,
      ratePerMinute: CLI_RATE_PER_MINUTE,
    },
    clock,
  );
  await keys.create(key);
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
}

function readSecret(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    // Not there yet: the first start makes it.
    return undefined;
  }
}
