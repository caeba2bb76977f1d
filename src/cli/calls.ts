import type { Command } from 'commander';
import type { Call, WholeCall } from '../client/shapes.ts';
import { allOf, ask, examples, minuteOf, tell, withClientFlags, type ClientFlags } from './client-command.ts';
import { wholeIn } from './number-flags.ts';
import { textTable } from './text-table.ts';

interface ListFlags extends ClientFlags {
  readonly state?: Call['state'];
  readonly limit: number;
}

/** `omnivoice calls`: who speaks and who spoke. */
export function register(program: Command): void {
  const calls = program
    .command('calls')
    .description('Lists calls, shows one, hangs up.')
    .addHelpText(
      'after',
      examples('calls list --state active', 'calls show call_01K…', 'calls hangup call_01K…'),
    );
  const list = calls
    .command('list')
    .description('Lists calls, newest first.')
    .option('--state <name>', 'ringing, active, ending or ended')
    .option('--limit <n>', 'so many at most', wholeIn(1, 10_000), 50);
  withClientFlags(list, 'calls list --state active').action(async (flags: ListFlags) => {
    const { state, limit } = flags;
    const filter = state === undefined ? {} : { state };
    const rows = await ask(flags, (api) => allOf((query) => api.listCalls({ ...query, ...filter }), limit));
    tell(flags, rows, () => (rows.length === 0 ? 'no calls\n' : callTable(rows)));
  });
  const show = calls
    .command('show')
    .description('Shows a call, its legs and what happened.')
    .argument('<id>');
  withClientFlags(show, 'calls show call_01K…').action(async (id: string, flags: ClientFlags) => {
    const call = await ask(flags, (api) => api.getCall(id));
    tell(flags, call, () => callWords(call));
  });
  const hangup = calls.command('hangup').description('Ends a call.').argument('<id>');
  withClientFlags(hangup, 'calls hangup call_01K…').action(async (id: string, flags: ClientFlags) => {
    const ending = await ask(flags, (api) => api.hangUp(id));
    tell(flags, ending, () => `${id} is ending\n`);
  });
}

function callTable(calls: readonly Call[]): string {
  const headings = ['ID', 'STATE', 'FROM', 'TO', 'AGENT', 'STARTED', 'ENDED', 'BY'];
  const rows = calls.map((call) => [
    call.id,
    call.state,
    call.from ?? '–',
    call.to ?? '–',
    call.agent_id ?? '–',
    minuteOf(call.started_at),
    minuteOf(call.ended_at),
    call.end_reason ?? '–',
  ]);
  return textTable(headings, rows);
}

function callWords(call: WholeCall): string {
  const legs = call.legs.map(({ leg_id: id, role, dialect, codec }) => [id, role, dialect, codec ?? '–']);
  const moments = call.timeline.map(({ at, type, sequence }) => `${at.slice(11, 23)}  #${sequence} ${type}`);
  return [
    callTable([call]),
    textTable(['LEG', 'ROLE', 'DIALECT', 'CODEC'], legs),
    `${moments.join('\n')}\n`,
  ].join('\n');
}
