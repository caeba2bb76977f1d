import { onDeadline, type Clock } from '../../base/clock.ts';
import { refuse, type Refusal } from '../../base/errors.ts';
import type { CommandResult } from '../commands.ts';

/** What everybody who asks over one way counts together. */
export interface QuestionStats {
  /** Refused before they were sent: too many wait, or the text is too long. */
  refusedQuestions: number;
  /** Sent, and not answered in time or before the way was gone. */
  unansweredQuestions: number;
}

export interface QuestionsOptions {
  readonly pendingMax: number;
  readonly stats: QuestionStats;
  readonly clock: Pick<Clock, 'after' | 'afterReading'>;
}

/** The questions of one way that wait for their answers. Every failure of the way is an answer too. */
export class Questions {
  readonly #options: QuestionsOptions;
  readonly #pending = new Map<number, (result: CommandResult) => void>();
  #lastId = 0;

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  /** `send` says the question of that number, or refuses to. */
  ask(send: (id: number) => Refusal | undefined, timeLimitMs: number): Promise<CommandResult> {
    const { pendingMax, clock, stats } = this.#options;
    if (this.#pending.size >= pendingMax) {
      stats.refusedQuestions++;
      return Promise.resolve(
        failedBy(refuse('overloaded', `${pendingMax} questions wait for an answer already`)),
      );
    }
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const miss = (): void => this.#miss(id, `no answer within ${timeLimitMs} ms`);
      const cancel = onDeadline(clock, timeLimitMs, miss);
      this.#pending.set(id, (result) => {
        cancel();
        resolve(result);
      });
      const refusal = send(id);
      if (refusal === undefined) return;
      stats.refusedQuestions++;
      this.settle(id, failedBy(refusal));
    });
  }

  /** An answer that comes after its deadline, or to no question at all, has nobody to hear it. */
  settle(id: number, result: CommandResult): void {
    const resolve = this.#pending.get(id);
    this.#pending.delete(id);
    resolve?.(result);
  }

  /** Whoever still waits is told that nobody will answer. */
  end(why: string): void {
    for (const id of this.#pending.keys()) this.#miss(id, why);
  }

  #miss(id: number, why: string): void {
    this.#options.stats.unansweredQuestions++;
    this.settle(id, failedBy(refuse('unavailable', why)));
  }
}

/** A refusal as an answer. */
export function failedBy({ fault, detail }: Refusal): CommandResult {
  return { ok: false, fault, detail };
}
