import { type Command, InvalidArgumentError } from 'commander';
import { systemClock, type Clock } from '../base/clock.ts';
import { messageOf, VoiceError } from '../base/errors.ts';
import { Lifetime } from '../base/lifetime.ts';
import type { ApiClient } from '../client/api-client.ts';
import { addAccessFlags, apiAccessOf, openApi, withAdvice, type AccessFlags } from './api-access.ts';
import { onLeave } from './leaving.ts';
import { deliveryLine, deliveryReport, identityOf, listeningSummary } from './listening/delivery-line.ts';
import { HookServer, type Received } from './listening/hook-server.ts';
import { OrderWatch } from './listening/order-watch.ts';
import { numberIn, wholeIn } from './number-flags.ts';

const EXAMPLES = `
Examples:
  $ omnivoice listen
  $ omnivoice listen --events voice_detected,call.* --fail-rate 0.3
  $ omnivoice listen --port 9000 --endpoint-url https://tunnel.example/hooks --json

Runs until Ctrl-C, then removes its endpoint. Exit code 0: done; 1: failed; 2: wrong usage.`;

interface ListenFlags extends AccessFlags {
  readonly port: number;
  readonly events: readonly string[];
  readonly failRate: number;
  readonly delay: number;
  readonly secret?: string;
  readonly endpointUrl?: string;
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** `omnivoice listen`: a receiver of hooks that verifies, prints and, if asked to, misbehaves. */
export function register(program: Command): void {
  const command = program
    .command('listen')
    .description('Receives hooks on this machine: registers itself, verifies signatures, prints deliveries.')
    .option('--port <port>', 'where to listen on 127.0.0.1 (default: a free one)', wholeIn(0, 65_535), 0)
    .option('--events <types>', 'types or families, separated by commas', eventsOf, ['*'])
    .option('--fail-rate <ratio>', 'answer so many with 503, 0 to 1, to see retries', numberIn(0, 1), 0)
    .option('--delay <ms>', 'let each answer take so long', wholeIn(0, 600_000), 0)
    .option('--secret <whsec>', 'sign with this secret instead of a new one')
    .option('--endpoint-url <url>', 'what to register instead of the local address: a tunnel that ends here')
    .option('--keep', 'leave the endpoint there at the end; with --port and --secret it is taken up again');
  addAccessFlags(command)
    .option('--json', 'each delivery as one line of JSON, and nothing else')
    .addHelpText('after', EXAMPLES)
    .action((flags: ListenFlags) => listen(flags, process.env, systemClock));
}

async function listen(
  flags: ListenFlags,
  env: { readonly [name: string]: string | undefined },
  clock: Clock,
): Promise<void> {
  const access = apiAccessOf(flags, env);
  const api = openApi(access, clock);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const order = new OrderWatch(flags.events.includes('*'));
  const lifetime = new Lifetime();
  const left = Promise.withResolvers<void>();
  onLeave(clock, left.resolve);
  const secret = Promise.withResolvers<string>();
  let doubted = 0;
  try {
    const hooks = await HookServer.open({
      clock,
      port: flags.port,
      secret: secret.promise,
      failRatio: flags.failRate,
      delayMs: flags.delay,
      onReceived: (received) => {
        if (received.doubt !== undefined) doubted++;
        tell(received, order, flags.json === true, say);
      },
    });
    lifetime.own(hooks);
    const url = flags.endpointUrl ?? hooks.url;
    const endpoint = await withAdvice(access, () => takeEndpoint(api, url, flags));
    secret.resolve(endpoint.secret);
    if (flags.keep !== true) lifetime.defer(() => remove(api, endpoint.id));
    if (flags.json !== true) say(greeting(endpoint, url, hooks.url, flags));
    await left.promise;
  } finally {
    await lifetime.close();
  }
  if (flags.json !== true) say(`\n${listeningSummary(order.stats, doubted)}`);
}

function tell(received: Received, order: OrderWatch, isJson: boolean, say: (line: string) => void): void {
  // Who cannot prove who it is does not count for what is missing.
  const fit =
    received.doubt === undefined ? order.look(identityOf(received), received.status === 200) : undefined;
  const report = deliveryReport(received, fit);
  say(isJson ? JSON.stringify(report) : deliveryLine(report, received.atUnixMs));
}

interface Taken {
  readonly id: string;
  readonly secret: string;
  readonly isOld: boolean;
}

/** Registers the endpoint, or takes up the one of the same URL whose secret is given. */
async function takeEndpoint(api: ApiClient, url: string, { secret, events }: ListenFlags): Promise<Taken> {
  const { items } = await api.listWebhooks({ limit: 200 });
  const old = items.find((endpoint) => endpoint.url === url);
  if (old !== undefined && secret !== undefined) return { id: old.id, secret, isOld: true };
  if (old !== undefined) {
    const sentence = `${old.id} already delivers to ${url}: give its --secret, or another --port`;
    throw new VoiceError('conflict', sentence);
  }
  const made = await api.createWebhook({ url, events, ...(secret !== undefined && { secret }) });
  return { id: made.id, secret: made.secret, isOld: false };
}

// What cannot be removed now is not worth an ugly end: it is said, with its name.
async function remove(api: ApiClient, id: string): Promise<void> {
  try {
    await api.deleteWebhook(id);
  } catch (error) {
    process.stderr.write(`omnivoice: ${id} is still registered: ${messageOf(error)}\n`);
  }
}

function greeting({ id, secret, isOld }: Taken, url: string, localUrl: string, flags: ListenFlags): string {
  const through = url === localUrl ? '' : `, through ${url}`;
  const bad = [
    ...(flags.failRate > 0 ? [`${Math.round(flags.failRate * 100)} % answered with 503`] : []),
    ...(flags.delay > 0 ? [`each answer takes ${flags.delay} ms`] : []),
  ].join(', ');
  return [
    `Listening on ${localUrl}${through}${bad === '' ? '' : ` (${bad})`}`,
    `Endpoint ${id}${isOld ? ' taken up' : ''}: ${flags.events.join(', ')}; secret ${secret}`,
    'Ctrl-C ends it. Now: omnivoice call',
    '',
  ].join('\n');
}

function eventsOf(text: string): string[] {
  const types = text.split(',').map((type) => type.trim());
  if (types.every((type) => type !== '')) return types;
  throw new InvalidArgumentError('It is a list of types, as in voice_detected,call.*');
}
