import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { sleep, systemClock, type Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import { Lifetime } from '../../base/lifetime.ts';
import { openApi } from '../api-access.ts';
import { examples } from '../client-command.ts';
import { onLeave } from '../leaving.ts';
import { wholeIn } from '../number-flags.ts';
import { textTable } from '../text-table.ts';
import { DemoCalls, type DemoCall } from './demo-calls.ts';
import { openStage } from './demo-stage.ts';

const PROGRAM = fileURLToPath(new URL('../../../bin/omnivoice.js', import.meta.url));
const SAMPLE = fileURLToPath(new URL('../../../samples/hello.wav', import.meta.url));
const PATIENCE_MS = 20_000;
const AGAIN_AFTER_MS = 250;
const EXIT_FAILED = 1;
const EXIT_INTERRUPTED = 130;

/** `omnivoice cluster-demo`: two regions on this machine, one of which is killed under its calls. */
export function register(program: Command): void {
  program
    .command('cluster-demo')
    .description('Starts two regions on this machine, places calls, kills one region, and shows the gaps.')
    .option('--calls <n>', 'how many calls', wholeIn(1, 100), 4)
    .addHelpText('after', examples('cluster-demo', 'cluster-demo --calls 20'))
    .action(async ({ calls }: { readonly calls: number }) => {
      const say = (line: string): void => void process.stdout.write(`${line}\n`);
      if (!(await demonstrate({ calls, say, clock: systemClock, env: process.env }))) {
        process.exitCode = EXIT_FAILED;
      }
    });
}

interface DemoOptions {
  readonly calls: number;
  readonly say: (line: string) => void;
  readonly clock: Clock;
  readonly env: { readonly [name: string]: string | undefined };
}

/** True where every call went on. Whatever was started is gone when it resolves. */
async function demonstrate({ calls, say, clock, env }: DemoOptions): Promise<boolean> {
  const lifetime = new Lifetime();
  const leave = Promise.withResolvers<never>();
  let isLeaving = false;
  onLeave(clock, () => {
    isLeaving = true;
    leave.reject(new Error('interrupted'));
  });
  // Rejected before anybody waits for it, it would be nobody's.
  leave.promise.catch(() => {});
  const show = playDemo({ calls, say, clock, env }, lifetime);
  try {
    return await Promise.race([show, leave.promise]);
  } catch (error) {
    if (!isLeaving) throw error;
    process.exitCode = EXIT_INTERRUPTED;
    return true;
  } finally {
    // What was being opened is there by now, or is not; either way it is closed.
    await lifetime.close();
    await show.catch(() => {});
    await lifetime.close();
  }
}

async function playDemo({ calls, say, clock, env }: DemoOptions, lifetime: Lifetime): Promise<boolean> {
  const stage = await openStage({ program: PROGRAM, clock, env }, lifetime);
  for (const line of stage.words) say(line);
  const api = openApi({ url: stage.apiUrl, key: stage.apiKey, keySource: '' }, clock);
  const wish = { dialect: 'native', agent_id: 'echo' } as const;
  const credential = await patiently(clock, () => api.createCredential(wish));
  const url = `${stage.mediaUrl}${new URL(credential.url).pathname}`;
  const callers = lifetime.own(new DemoCalls({ clock, url, count: calls, sound: SAMPLE }));
  await callers.begin();
  say(`\n${calls} calls are on the line, as "omnivoice call --as native" places them: each hears its echo.`);
  callers.look();
  stage.kill();
  say(`kill -9: ${stage.victim}.`);
  const told = await callers.goOn();
  say(`\n${tableOf(told)}`);
  const back = told.filter(({ isBack }) => isBack);
  const longestMs = Math.max(0, ...back.map(({ gapMs }) => gapMs));
  say(`${back.length} of ${told.length} calls went on in ${stage.heir}, under the ids they had.`);
  if (back.length > 0) say(`The longest silence was ${Math.round(longestMs)} ms.`);
  say('How: docs/cluster.md. With figures: node native-bench/run.ts failover --quick.');
  return back.length === told.length;
}

/** Just started, an API may be too busy for a moment. */
async function patiently<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  const untilMs = clock.nowMs() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isBusy = error instanceof VoiceError && error.code === 'overloaded';
      if (!isBusy || clock.nowMs() > untilMs) throw error;
      await sleep(clock, AGAIN_AFTER_MS);
    }
  }
}

function tableOf(calls: readonly DemoCall[]): string {
  const rows = calls.map(({ callId, isBack, gapBeforeMs, gapMs }) => [
    callId,
    `${Math.round(gapBeforeMs)} ms`,
    isBack ? `${Math.round(gapMs)} ms` : 'lost',
  ]);
  return textTable(['CALL', 'LONGEST GAP BEFORE', 'SILENCE AT THE KILL'], rows);
}
