import type { Cancel, Clock } from '../base/clock.ts';
import { refuse, type Refusal } from '../base/errors.ts';
import type { CommandResult } from '../events/commands.ts';

/** What everybody who asks over one side of the link counts together. */
export interface QuestionStats {
  /** Refused before they were sent: too many wait, or the text is too long. */
  refusedQuestions: number;
  /** Sent, and not answered in time or before the connection ended. */
  unansweredQuestions: number;
}

export interface QuestionsOptions {
  readonly pendingMax: number;
  readonly bytesMax: number;
  readonly stats: QuestionStats;
  readonly clock: Pick<Clock, 'after'>;
  readonly write: (encoded: Buffer) => void;
}

/** The questions of one connection that wait for their answers. Every failure of the way is an answer too. */
export class Questions {
  readonly #options: QuestionsOptions;
  readonly #pending = new Map<number, (result: CommandResult) => void>();
  #lastId = 0;

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  /** `encode` makes the message of the number the question gets. */
  ask(encode: (id: number) => Buffer, timeLimitMs: number): Promise<CommandResult> {
    const { pendingMax, bytesMax, clock, write } = this.#options;
    if (this.#pending.size >= pendingMax) {
      return this.#turnAway(refuse('overloaded', `${pendingMax} questions wait for an answer already`));
    }
    const id = ++this.#lastId;
    const encoded = encode(id);
    if (encoded.length > bytesMax) {
      return this.#turnAway(refuse('payload_too_large', `${encoded.length} bytes of question`));
    }
    return new Promise((resolve) => {
      const cancel: Cancel = clock.after(timeLimitMs, () =>
        this.#miss(id, `no answer within ${timeLimitMs} ms`),
      );
      this.#pending.set(id, (result) => {
        cancel();
        resolve(result);
      });
      write(encoded);
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

  #turnAway(refusal: Refusal): Promise<CommandResult> {
    this.#options.stats.refusedQuestions++;
    return Promise.resolve(failedBy(refusal));
  }
}

/** A refusal as an answer. */
export function failedBy({ fault, detail }: Refusal): CommandResult {
  return { ok: false, fault, detail };
}
