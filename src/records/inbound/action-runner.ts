import type { Clock } from '../../base/clock.ts';
import { FAULTS, messageOf } from '../../base/errors.ts';
import type { Closeable } from '../../base/lifetime.ts';
import { WokenRounds } from '../../base/woken-rounds.ts';
import type { CommandResult } from '../../events/commands.ts';
import type { PlannedCommand } from './actions.ts';
import type { DueCall, InboundWork, Progress } from './inbound-store.ts';

/** Where a planned command is carried out. */
export interface CallDesk {
  command(call: Pick<DueCall, 'workspaceId' | 'testMode'>, planned: PlannedCommand): Promise<CommandResult>;
}

export interface ActionRunnerOptions {
  readonly work: InboundWork;
  readonly calls: CallDesk;
  readonly clock: Clock;
  readonly log: { warn(fields: object, sentence: string): void };
}

/** What cannot be had now is asked for again this much later; then it has failed. */
const RETRY_DELAYS_MS = [1_000, 5_000, 15_000, 60_000, 300_000];
const PAGE = 64;
const LOOK_AGAIN_MS = 5_000;
/** A timer of Node cannot wait longer than 2^31 ms; nothing of ours is due later than a few minutes. */
const SLEEP_MS_MAX = 600_000;
const SLEEP_MS_MIN = 20;

/**
 * Carries out what accepted calls asked for, out of their durable rows: what a crash interrupted is done
 * again. Commands for one call of ours go one after the other, as they were accepted; a retry may be
 * overtaken.
 */
export class ActionRunner implements Closeable {
  readonly stats = { carriedOut: 0, refused: 0, retries: 0, gaveUp: 0, failures: 0 };
  readonly #options: ActionRunnerOptions;
  readonly #rounds: WokenRounds;

  constructor(options: ActionRunnerOptions) {
    this.#options = options;
    const { clock } = options;
    this.#rounds = new WokenRounds({
      clock,
      round: () => this.#round(),
      failed: (error) => this.#failed(error),
      retryMs: LOOK_AGAIN_MS,
    });
  }

  /** There is, or may be, something to do. */
  wake(): void {
    this.#rounds.wake();
  }

  /** What is under way is finished; what is not begun stays in its rows. */
  close(): Promise<void> {
    return this.#rounds.close();
  }

  async #round(): Promise<number | undefined> {
    const { work, clock } = this.#options;
    const due = await work.due(clock.unixMs(), PAGE);
    await this.#carryOutAll(due);
    if (due.length === PAGE || this.#rounds.isWoken) return 0;
    const nextUnixMs = await work.nextDueUnixMs();
    if (nextUnixMs === undefined) return undefined;
    return Math.min(Math.max(SLEEP_MS_MIN, nextUnixMs - clock.unixMs()), SLEEP_MS_MAX);
  }

  #failed(error: unknown): void {
    this.stats.failures++;
    const { log } = this.#options;
    log.warn({ error: messageOf(error) }, 'inbound actions could not be read or recorded');
  }

  /** Calls of ours beside each other; what is asked of the same one, in order. */
  async #carryOutAll(due: readonly DueCall[]): Promise<void> {
    const lanes = Map.groupBy(due, (one) => one.commands[one.done]?.callId ?? '');
    const carried = [...lanes.values()].map(async (lane) => {
      for (const one of lane) await this.#carryOut(one);
    });
    const failed = (await Promise.allSettled(carried)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  async #carryOut(due: DueCall): Promise<void> {
    let { done, error } = due;
    for (const planned of due.commands.slice(due.done)) {
      const result = await this.#ask(due, planned);
      if (!result.ok && FAULTS[result.fault].retryable && due.tries < RETRY_DELAYS_MS.length) {
        return this.#record(due, { done, error, tries: due.tries + 1, dueUnixMs: this.#retryUnixMs(due) });
      }
      done++;
      if (result.ok) this.stats.carriedOut++;
      else {
        error ??= { code: result.fault, detail: `${planned.action}: ${result.detail}` };
        this.stats[FAULTS[result.fault].retryable ? 'gaveUp' : 'refused']++;
      }
      const isLast = done === due.commands.length;
      // After each one: a crash repeats the one it interrupted, not those before it.
      const dueUnixMs = isLast ? null : this.#options.clock.unixMs();
      await this.#record(due, { done, error, tries: due.tries + (isLast ? 1 : 0), dueUnixMs });
    }
  }

  async #ask(due: DueCall, planned: PlannedCommand): Promise<CommandResult> {
    try {
      return await this.#options.calls.command(due, planned);
    } catch (error) {
      return { ok: false, fault: 'unavailable', detail: messageOf(error) };
    }
  }

  #retryUnixMs({ tries }: DueCall): number {
    this.stats.retries++;
    return this.#options.clock.unixMs() + RETRY_DELAYS_MS[tries]!;
  }

  #record({ id }: DueCall, progress: Progress): Promise<void> {
    return this.#options.work.progressed(id, progress);
  }
}
