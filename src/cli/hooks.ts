import { InvalidArgumentError, type Command } from 'commander';
import type { Delivery, DeliveryLog, FreshWebhook, HookAttempt, Webhook } from '../client/shapes.ts';
import { allOf, ask, examples, minuteOf, tell, withClientFlags, type ClientFlags } from './client-command.ts';
import { wholeIn } from './number-flags.ts';
import { textTable } from './text-table.ts';

interface CreateFlags extends ClientFlags {
  readonly events: readonly string[];
  readonly format?: string;
  readonly sharedSecret?: string;
  readonly ordering?: 'strict' | 'bounded' | 'none';
  readonly retryPolicy?: string;
}

interface LogFlags extends ClientFlags {
  readonly state?: string;
  readonly limit: number;
}

interface RangeFlags extends ClientFlags {
  readonly since?: string;
  readonly until?: string;
}

/** `omnivoice hooks`: endpoints, what they were sent, and sending it again. */
export function register(program: Command): void {
  const hooks = program
    .command('hooks')
    .description('Hook endpoints: make, try, rotate; what they were sent, and sending it again.')
    .addHelpText('after', examples('hooks list', 'hooks test whk_01K…', 'hooks log dlv_01K…'));
  addReading(hooks);
  addCreate(hooks);
  addChanging(hooks);
  addDeliveries(hooks);
  addReplays(hooks);
}

function addReading(hooks: Command): void {
  const list = hooks.command('list').description('Lists the endpoints of the workspace.');
  withClientFlags(list, 'hooks list', 'hooks list --json').action(async (flags: ClientFlags) => {
    const all = await ask(flags, (api) => allOf((query) => api.listWebhooks(query)));
    tell(flags, all, () => (all.length === 0 ? 'no endpoints\n' : endpointTable(all)));
  });
  const show = hooks.command('show').description('Shows one endpoint.').argument('<id>');
  withClientFlags(show, 'hooks show whk_01K…').action(async (id: string, flags: ClientFlags) => {
    const endpoint = await ask(flags, (api) => api.getWebhook(id));
    tell(flags, endpoint, () => `${JSON.stringify(endpoint, null, 2)}\n`);
  });
}

function addCreate(hooks: Command): void {
  const command = hooks
    .command('create')
    .description('Makes an endpoint and shows its secret, this once.')
    .argument('<url>', 'where hooks go')
    .option('--events <types>', 'types or families, separated by commas', listOf, ['*'])
    .option('--format <name>', 'omnivoice, omniflow, voiceoi, omniotap or omniai')
    .option('--shared-secret <text>', 'what the signatures of the published pages are keyed with')
    .option('--ordering <rule>', 'strict, bounded or none')
    .option('--retry-policy <name>', '24h, 30m or omniai');
  const line = 'hooks create https://crm.example/hooks --events voice_detected,call.*';
  withClientFlags(command, line).action(async (url: string, flags: CreateFlags) => {
    const { events, format, sharedSecret, ordering, retryPolicy } = flags;
    const wish = {
      url,
      events,
      ...(format !== undefined && { format }),
      ...(sharedSecret !== undefined && { shared_secret: sharedSecret }),
      ...(ordering !== undefined && { ordering }),
      ...(retryPolicy !== undefined && { retry_policy: retryPolicy }),
    };
    const made = await ask(flags, (api) => api.createWebhook(wish));
    tell(flags, made, () => freshWords(made));
  });
}

function addChanging(hooks: Command): void {
  const test = hooks.command('test').description('Sends a signed test now.').argument('<id>');
  withClientFlags(test, 'hooks test whk_01K…').action(async (id: string, flags: ClientFlags) => {
    const attempt = await ask(flags, (api) => api.testWebhook(id));
    tell(flags, attempt, () => `${attemptLine(attempt)}\n`);
    if (!attempt.delivered) process.exitCode = 1;
  });
  const rotate = hooks
    .command('rotate')
    .description('Makes new keys; the old ones sign as well for a day, or as long as you say.')
    .argument('<id>')
    .option('--overlap <s>', 'so many seconds; 0 ends the old keys now', wholeIn(0, 604_800));
  withClientFlags(rotate, 'hooks rotate whk_01K…', 'hooks rotate whk_01K… --overlap 0').action(
    async (id: string, flags: ClientFlags & { readonly overlap?: number }) => {
      const wish = flags.overlap === undefined ? {} : { overlap_s: flags.overlap };
      const made = await ask(flags, (api) => api.rotateWebhookSecret(id, wish));
      tell(flags, made, () => freshWords(made));
    },
  );
  const enable = hooks
    .command('enable')
    .description('Switches on, and sends what was held.')
    .argument('<id>');
  withClientFlags(enable, 'hooks enable whk_01K…').action(async (id: string, flags: ClientFlags) => {
    const endpoint = await ask(flags, (api) => api.enableWebhook(id));
    tell(flags, endpoint, () => `${id} is on\n`);
  });
  const disable = hooks.command('disable').description('Switches off; events are held.').argument('<id>');
  withClientFlags(disable, 'hooks disable whk_01K…').action(async (id: string, flags: ClientFlags) => {
    const endpoint = await ask(flags, (api) => api.updateWebhook(id, { enabled: false }));
    tell(flags, endpoint, () => `${id} is off; what happens is held for it\n`);
  });
  const remove = hooks.command('remove').description('Removes an endpoint.').argument('<id>');
  withClientFlags(remove, 'hooks remove whk_01K…').action(async (id: string, flags: ClientFlags) => {
    await ask(flags, (api) => api.deleteWebhook(id));
    tell(flags, { id, removed: true }, () => `${id} is removed\n`);
  });
}

function addDeliveries(hooks: Command): void {
  const deliveries = hooks
    .command('deliveries')
    .description('Lists what an endpoint was and is to be sent, newest first.')
    .argument('<id>')
    .option('--state <name>', 'pending, retrying, delivered or dead')
    .option('--limit <n>', 'so many at most', wholeIn(1, 10_000), 50);
  withClientFlags(deliveries, 'hooks deliveries whk_01K… --state dead').action(
    async (id: string, flags: LogFlags) => {
      const { state, limit } = flags;
      const filter = state === undefined ? {} : { state };
      const rows = await ask(flags, (api) =>
        allOf((query) => api.listDeliveries(id, { ...query, ...filter }), limit),
      );
      tell(flags, rows, () => deliveryTable(rows));
    },
  );
  const log = hooks.command('log').description('Shows a delivery with every attempt.').argument('<delivery>');
  withClientFlags(log, 'hooks log dlv_01K…').action(async (id: string, flags: ClientFlags) => {
    const whole = await ask(flags, (api) => api.getDelivery(id));
    tell(flags, whole, () => logWords(whole));
  });
  const dead = withRange(hooks.command('dead').description('Lists what was given up and not replayed.'));
  withClientFlags(dead, 'hooks dead --since 2027-01-31T12:00:00Z').action(async (flags: RangeFlags) => {
    const rows = await ask(flags, (api) =>
      allOf((query) => api.listDeadLetters({ ...query, ...rangeOf(flags) })),
    );
    tell(flags, rows, () => deliveryTable(rows));
  });
}

function addReplays(hooks: Command): void {
  const replay = hooks
    .command('replay')
    .description('Sends a delivery again.')
    .argument('<delivery>')
    .option('--as-new-event', 'under a new id, so that a receiver that knows the old one takes it');
  withClientFlags(replay, 'hooks replay dlv_01K…').action(
    async (id: string, flags: ClientFlags & { readonly asNewEvent?: boolean }) => {
      const options = { as_new_event: flags.asNewEvent ?? false };
      const made = await ask(flags, (api) => api.replayDelivery(id, options));
      tell(flags, made, () => `${made.id} sends ${made.event_id} again\n`);
    },
  );
  const recover = withRange(
    hooks.command('recover').description('Sends again what an endpoint failed to take.').argument('<id>'),
  );
  withClientFlags(recover, 'hooks recover whk_01K… --since 2027-01-31').action(
    async (id: string, flags: RangeFlags) => {
      const { since = '1970-01-01', ...range } = rangeOf(flags);
      let replayed = 0;
      let isMore = true;
      while (isMore) {
        const answer = await ask(flags, (api) => api.recoverWebhook(id, { since, ...range }));
        replayed += answer.replayed;
        isMore = answer.more && answer.replayed > 0;
      }
      tell(flags, { id, replayed }, () => `${replayed} are sent again\n`);
    },
  );
}

function withRange(command: Command): Command {
  return command
    .option('--since <instant>', 'given up then or later', instantOf)
    .option('--until <instant>', 'given up before', instantOf);
}

function rangeOf({ since, until }: RangeFlags): { since?: string; until?: string } {
  return { ...(since !== undefined && { since }), ...(until !== undefined && { until }) };
}

function endpointTable(all: readonly Webhook[]): string {
  const headings = ['ID', 'URL', 'FORMAT', 'EVENTS', 'STATE', 'CREATED'];
  const rows = all.map((one) => [
    one.id,
    one.url,
    one.format,
    one.events.join(' '),
    one.enabled ? 'on' : `off: ${one.disabled_reason ?? ''}`,
    minuteOf(one.created_at),
  ]);
  return textTable(headings, rows);
}

function deliveryTable(all: readonly Delivery[]): string {
  if (all.length === 0) return 'none\n';
  const headings = ['ID', 'EVENT', 'OF', 'STATE', 'ATTEMPTS', 'LAST', 'CREATED', 'NEXT'];
  const rows = all.map((one) => [
    one.id,
    one.event_type,
    one.resource_id ?? '–',
    one.state,
    String(one.attempts),
    [one.last_status, one.last_error].filter((word) => word !== null).join(' ') || '–',
    minuteOf(one.created_at),
    minuteOf(one.next_attempt_at),
  ]);
  return textTable(headings, rows);
}

function logWords(whole: DeliveryLog): string {
  const head = `${whole.id}  ${whole.event_type} ${whole.event_id}  ${whole.state}`;
  return `${[head, ...whole.attempt_log.map(attemptLine)].join('\n')}\n`;
}

function attemptLine(attempt: HookAttempt): string {
  const {
    number,
    trigger,
    status,
    duration_ms: durationMs,
    error_class: error,
    error_detail: detail,
  } = attempt;
  const verdict = attempt.delivered ? 'delivered' : `failed: ${error ?? ''} (${detail ?? ''})`;
  const next = attempt.next_attempt_at === null ? '' : `, next ${attempt.next_attempt_at}`;
  return `  ${number} ${trigger}  ${status ?? '–'}  ${durationMs.toFixed(1)} ms  ${verdict}${next}`;
}

function freshWords({ id, secret, shared_secret: shared, warnings = [] }: FreshWebhook): string {
  const sharedLine = shared === null ? [] : [`shared secret ${shared}`];
  const lines = [secret, ...sharedLine, '', id, ...warnings.map((warning) => `warning: ${warning}`)];
  return `${lines.join('\n')}\nSecrets are shown this once: keep them.\n`;
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
