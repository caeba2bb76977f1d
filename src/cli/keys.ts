import { InvalidArgumentError, type Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import type { ApiClient } from '../client/api-client.ts';
import type { FreshKey, Key } from '../client/shapes.ts';
import { addAccessFlags, apiAccessOf, openApi, withAdvice, type AccessFlags } from './api-access.ts';
import { wholeIn } from './number-flags.ts';
import { textTable } from './text-table.ts';

const LIST_LIMIT = 200;

interface KeysFlags extends AccessFlags {
  readonly json?: boolean;
}

interface CreateFlags extends KeysFlags {
  readonly scopes?: readonly string[];
  readonly test?: boolean;
  readonly expires?: string;
  readonly ratePerMinute?: number;
  readonly allow?: readonly string[];
}

/** `omnivoice keys`: API keys, through the API. */
export function register(program: Command): void {
  const keys = program
    .command('keys')
    .description('Lists, makes, revokes and rotates API keys.')
    .addHelpText('after', examples('list', 'create crm --scopes calls:read,events:read', 'revoke key_01K…'));
  addList(keys);
  addCreate(keys);
  addRevoke(keys);
  addRotate(keys);
}

function addList(keys: Command): void {
  const command = keys.command('list').description('Lists the keys of the workspace.');
  withCommonFlags(command, 'list', 'list --json').action(async (flags: KeysFlags) => {
    const all = await ask(flags, allKeys);
    tell(flags, all, () => (all.length === 0 ? 'no keys\n' : tableOf(all)));
  });
}

function addCreate(keys: Command): void {
  const command = keys
    .command('create')
    .description('Makes a key and shows it, this once.')
    .argument('<name>', 'what it is for')
    .option('--scopes <scopes>', 'what it may do, separated by commas (default: what your key may)', listOf)
    .option('--test', 'a key for test data only')
    .option(
      '--expires <instant>',
      'until when it is good, as in 2027-01-31 or 2027-01-31T12:00:00Z',
      instantOf,
    )
    .option('--rate-per-minute <n>', 'requests in a minute (default: 60)', wholeIn(1, 600))
    .option('--allow <addresses>', 'addresses or CIDRs it may be used from, separated by commas', listOf);
  const examples = ['create crm --scopes calls:read,events:read', 'create try --test --expires 2027-01-31'];
  withCommonFlags(command, ...examples).action(async (name: string, flags: CreateFlags) => {
    const { scopes, test, expires, ratePerMinute, allow } = flags;
    const wish = {
      name,
      ...(scopes !== undefined && { scopes }),
      ...(test === true && { test_mode: true }),
      ...(expires !== undefined && { expires_at: expires }),
      ...(ratePerMinute !== undefined && { rate_per_minute: ratePerMinute }),
      ...(allow !== undefined && { ip_allow: allow }),
    };
    const made = await ask(flags, (api) => api.createKey(wish));
    tell(flags, made, () => freshWords(made));
  });
}

function addRevoke(keys: Command): void {
  const command = keys
    .command('revoke')
    .description('Removes a key at once.')
    .argument('<id>', 'its id, as "keys list" shows it');
  withCommonFlags(command, 'revoke key_01K…').action(async (id: string, flags: KeysFlags) => {
    await ask(flags, (api) => api.deleteKey(id));
    tell(flags, { id, revoked: true }, () => `${id} is revoked\n`);
  });
}

function addRotate(keys: Command): void {
  const command = keys
    .command('rotate')
    .description('Makes a key like the old one, which stays good for 24 hours.')
    .argument('<id>', 'id of the old key, as "keys list" shows it');
  withCommonFlags(command, 'rotate key_01K…').action(async (id: string, flags: KeysFlags) => {
    const made = await ask(flags, (api) => api.rotateKey(id));
    tell(flags, made, () => `${freshWords(made)}The old key ${id} is good for another 24 hours.\n`);
  });
}

function withCommonFlags(command: Command, ...lines: readonly string[]): Command {
  return addAccessFlags(command)
    .option('--json', 'the answer as JSON, and nothing else')
    .addHelpText('after', examples(...lines));
}

function examples(...lines: readonly string[]): string {
  const text = lines.map((line) => `  $ omnivoice keys ${line}`).join('\n');
  return `\nExamples:\n${text}\n\nExit code 0: done; 1: failed; 2: wrong usage.`;
}

async function ask<T>(flags: AccessFlags, question: (api: ApiClient) => Promise<T>): Promise<T> {
  const access = apiAccessOf(flags, process.env);
  return withAdvice(access, () => question(openApi(access, systemClock)));
}

async function allKeys(api: ApiClient): Promise<readonly Key[]> {
  const all: Key[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<ApiClient['listKeys']>> = await api.listKeys({
      limit: LIST_LIMIT,
      ...(cursor !== null && { cursor }),
    });
    all.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return all;
}

function tell(flags: KeysFlags, answer: unknown, words: () => string): void {
  process.stdout.write(flags.json === true ? `${JSON.stringify(answer, null, 2)}\n` : words());
}

function tableOf(keys: readonly Key[]): string {
  const headings = ['ID', 'NAME', 'KEY', 'MODE', 'CREATED', 'EXPIRES', 'LAST USED', 'SCOPES'];
  const rows = keys.map((key) => [
    key.id,
    key.name,
    key.hint,
    key.test_mode ? 'test' : 'live',
    dayOf(key.created_at),
    dayOf(key.expires_at),
    dayOf(key.last_used_at),
    key.scopes.length > 4
      ? `${key.scopes.slice(0, 3).join(' ')} and ${key.scopes.length - 3} more`
      : key.scopes.join(' '),
  ]);
  return textTable(headings, rows);
}

function freshWords({ id, name, key, scopes, expires_at: expires }: FreshKey): string {
  const until = expires === null ? '' : `, until ${expires}`;
  return `${key}\n\n${id} "${name}"${until}: ${scopes.join(' ')}\nThe key is shown this once: keep it.\n`;
}

function dayOf(instant: string | null): string {
  return instant === null ? '–' : instant.slice(0, 16).replace('T', ' ');
}

function listOf(text: string): string[] {
  const words = text.split(',').map((word) => word.trim());
  if (words.every((word) => word !== '')) return words;
  throw new InvalidArgumentError('It is a list, separated by commas.');
}

function instantOf(text: string): string {
  const unixMs = Date.parse(text);
  if (!Number.isNaN(unixMs)) return new Date(unixMs).toISOString();
  throw new InvalidArgumentError('It is not a date, as in 2027-01-31.');
}
