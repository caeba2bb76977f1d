import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Clock } from '../base/clock.ts';
import { isObject } from '../base/json.ts';
import { VoiceError } from '../base/errors.ts';
import { openApiClient, type ApiClient } from '../client/api-client.ts';

type Env = { readonly [name: string]: string | undefined };

/** Flags by which every client command finds the API. */
export interface AccessFlags {
  readonly url?: string;
  readonly key?: string;
  readonly dataDir?: string;
}

/** Where the API is, who asks, and where the key is from. */
export interface ApiAccess {
  readonly url: string;
  readonly key: string;
  readonly keySource: string;
}

/** Adds `--url`, `--key` and `--data-dir`. */
export function addAccessFlags(command: Command): Command {
  return command
    .option('--url <url>', 'where the API is (default: http://127.0.0.1:8080)')
    .option('--key <key>', 'API key (default: $OMNIVOICE_API_KEY, else the cli-key of the data dir)')
    .option('--data-dir <folder>', 'data dir of the server, for its cli-key (default: ./data)');
}

/** The URL of the API: as told, else as the settings of a server in the same environment would have it. */
export function apiUrlOf(flags: AccessFlags, env: Env): string {
  const { OMNIVOICE_PUBLIC_URL: publicUrl, OMNIVOICE_PORT: port } = env;
  const url = flags.url ?? publicUrl ?? `http://127.0.0.1:${port ?? 8080}`;
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url.replace(/\/+$/, '');
  throw new VoiceError('invalid_argument', `--url ${url} is not an http:// or https:// URL`);
}

/** Finds the key where contract.md §10 says it is. */
export function apiAccessOf(flags: AccessFlags, env: Env): ApiAccess {
  const url = apiUrlOf(flags, env);
  if (flags.key !== undefined) return { url, key: flags.key, keySource: '--key' };
  const fromEnv = env['OMNIVOICE_API_KEY'];
  if (fromEnv !== undefined && fromEnv !== '') return { url, key: fromEnv, keySource: 'OMNIVOICE_API_KEY' };
  const file = join(flags.dataDir ?? env['OMNIVOICE_DATA_DIR'] ?? './data', 'cli-key');
  const key = readKey(file);
  if (key !== undefined) return { url, key, keySource: file };
  throw new VoiceError(
    'failed_precondition',
    `no API key: there is no ${file} here. Start a server in this folder ("npm start"), ` +
      'or give --key, OMNIVOICE_API_KEY or --data-dir',
  );
}

/** A client of the API. */
export function openApi({ url, key }: ApiAccess, clock: Pick<Clock, 'after'>): ApiClient {
  return openApiClient({ url, key, clock });
}

/** Runs what needs the API, and says in one sentence what to do where it cannot be had. */
export async function withAdvice<T>({ url, keySource }: ApiAccess, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VoiceError)) throw error;
    // Only a request that never got an answer has a cause.
    if (error.code === 'unavailable' && error.cause !== undefined) {
      const sentence =
        distrustOf(url, error.cause) ??
        `no Omnivoice answers at ${url}: start one with "npm start", or give its --url`;
      throw new VoiceError('unavailable', sentence, { cause: error });
    }
    if (error.code === 'unauthenticated' || error.code === 'permission_denied') {
      const sentence = `${error.message} (the key is from ${keySource}; --key gives another)`;
      throw new VoiceError(error.code, sentence, { cause: error });
    }
    throw error;
  }
}

/** Somebody is there, and shows a certificate that this machine does not trust. */
function distrustOf(url: string, failure: unknown): string | undefined {
  const cause = failure instanceof Error ? failure.cause : undefined;
  if (!(cause instanceof Error) || !('code' in cause) || !/CERT|VERIFY/.test(String(cause.code)))
    return undefined;
  const remedy = 'NODE_EXTRA_CA_CERTS=<PEM file> trusts one';
  return `the certificate of ${url} is not trusted: ${cause.message}; ${remedy}`;
}

function readKey(file: string): string | undefined {
  try {
    const key = readFileSync(file, 'utf8').trim();
    return key === '' ? undefined : key;
  } catch (error) {
    if (isObject(error) && error['code'] === 'ENOENT') return undefined;
    throw new VoiceError('failed_precondition', `cannot read ${file}`, { cause: error });
  }
}
