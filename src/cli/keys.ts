import { InvalidArgumentError, type Command } from 'commander';
import type { FreshKey, Key } from '../client/shapes.ts';
import { allOf, ask, examples, minuteOf, tell, withClientFlags, type ClientFlags } from './client-command.ts';
import { wholeIn } from './number-flags.ts';
import { textTable } from './text-table.ts';

interface CreateFlags extends ClientFlags {
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
    .addHelpText(
      'after',
      examples('keys list', 'keys create crm --scopes calls:read,events:read', 'keys revoke key_01K…'),
    );
  addList(keys);
  addCreate(keys);
  addRevoke(keys);
  addRotate(keys);
}

function addList(keys: Command): void {
  const command = keys.command('list').description('Lists the keys of the workspace.');
  withClientFlags(command, 'keys list', 'keys list --json').action(async (flags: ClientFlags) => {
    const all = await ask(flags, (api) => allOf((query) => api.listKeys(query)));
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
  const lines = [
    'keys create crm --scopes calls:read,events:read',
    'keys create try --test --expires 2027-01-31',
  ];
  withClientFlags(command, ...lines).action(async (name: string, flags: CreateFlags) => {
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
  withClientFlags(command, 'keys revoke key_01K…').action(async (id: string, flags: ClientFlags) => {
    await ask(flags, (api) => api.deleteKey(id));
    tell(flags, { id, revoked: true }, () => `${id} is revoked\n`);
  });
}

function addRotate(keys: Command): void {
  const command = keys
    .command('rotate')
    .description('Makes a key like the old one, which stays good for 24 hours.')
    .argument('<id>', 'id of the old key, as "keys list" shows it');
  withClientFlags(command, 'keys rotate key_01K…').action(async (id: string, flags: ClientFlags) => {
    const made = await ask(flags, (api) => api.rotateKey(id));
    tell(flags, made, () => `${freshWords(made)}The old key ${id} is good for another 24 hours.\n`);
  });
}

function tableOf(keys: readonly Key[]): string {
  const headings = ['ID', 'NAME', 'KEY', 'MODE', 'CREATED', 'EXPIRES', 'LAST USED', 'SCOPES'];
  const rows = keys.map((key) => [
    key.id,
    key.name,
    key.hint,
    key.test_mode ? 'test' : 'live',
    minuteOf(key.created_at),
    minuteOf(key.expires_at),
    minuteOf(key.last_used_at),
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
