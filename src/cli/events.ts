import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import type { LiveItem } from '../client/event-stream.ts';
import { apiAccessOf, openApi, withAdvice } from './api-access.ts';
import { examples, withClientFlags, type ClientFlags } from './client-command.ts';
import { onLeave } from './leaving.ts';

const TYPE_CHARACTERS = 18;

interface TailFlags extends ClientFlags {
  readonly types?: string;
  readonly call?: string;
  readonly agent?: string;
  readonly from?: string;
}

/** `omnivoice events tail`: what happens, as it happens. */
export function register(program: Command): void {
  const events = program
    .command('events')
    .description('Follows events as they happen.')
    .addHelpText('after', examples('events tail', 'events tail --types voice_detected,call.* --json'));
  const tail = events
    .command('tail')
    .description('Prints events as they happen until Ctrl-C; a broken connection is taken up where it broke.')
    .option('--types <types>', 'types or families, separated by commas')
    .option('--call <id>', 'only of this call')
    .option('--agent <id>', 'only of calls of this agent')
    .option('--from <cursor>', 'go on behind this cursor, as --json shows it');
  withClientFlags(tail, 'events tail', 'events tail --types voice_detected,call.* --json').action(follow);
}

async function follow(flags: TailFlags): Promise<void> {
  const leaving = new AbortController();
  onLeave(systemClock, () => leaving.abort());
  const access = apiAccessOf(flags, process.env);
  const wish = {
    signal: leaving.signal,
    ...(flags.types !== undefined && { types: flags.types.split(',') }),
    ...(flags.call !== undefined && { callId: flags.call }),
    ...(flags.agent !== undefined && { agentId: flags.agent }),
    ...(flags.from !== undefined && { from: flags.from }),
  };
  await withAdvice(access, async () => {
    for await (const item of openApi(access, systemClock).eventStream(wish)) {
      process.stdout.write(`${flags.json === true ? JSON.stringify(item) : itemLine(item)}\n`);
    }
  });
}

function itemLine(item: LiveItem): string {
  if (item.type === 'gap') return `(events ${item.from ?? '?'} to ${item.to ?? '?'} are no longer kept)`;
  const { created_at, type, resource, sequence } = item.event;
  return `${created_at.slice(11, 23)}  ${type.padEnd(TYPE_CHARACTERS)} ${resource.id} #${sequence}`;
}
