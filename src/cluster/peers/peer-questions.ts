import type { Clock } from '../../base/clock.ts';
import type { CommandResult } from '../../events/commands.ts';
import type { PeerCounts } from './peer-counts.ts';

/** So many questions of one link may wait. */
export const QUESTIONS_MAX = 1_024;
/** A leg at the door waits no longer for another node. */
export const QUESTION_MS = 150;

/** The questions of one link that wait for their answers. Every failure of the way is an answer too. */
export class PeerQuestions {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #counts: PeerCounts;
  readonly #pending = new Map<number, (result: CommandResult) => void>();
  #lastId = 0;

  constructor(clock: Pick<Clock, 'after'>, counts: PeerCounts) {
    this.#clock = clock;
    this.#counts = counts;
  }

  /** `send` is told the question's number. */
  ask(send: (id: number) => void, timeLimitMs: number): Promise<CommandResult> {
    if (this.#pending.size >= QUESTIONS_MAX) {
      this.#counts.refusedQuestions++;
      return Promise.resolve({ ok: false, fault: 'overloaded', detail: 'too many questions wait' });
    }
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const cancel = this.#clock.after(timeLimitMs, () => this.#miss(id, `none within ${timeLimitMs} ms`));
      this.#pending.set(id, (result) => {
        cancel();
        resolve(result);
      });
      send(id);
    });
  }

  /** An answer that comes too late has nobody to hear it. */
  settle(id: number, result: CommandResult): void {
    const resolve = this.#pending.get(id);
    this.#pending.delete(id);
    resolve?.(result);
  }

  /** The link is gone: nobody will answer. */
  end(): void {
    for (const id of this.#pending.keys()) this.#miss(id, 'the link ended');
  }

  #miss(id: number, why: string): void {
    this.#counts.unansweredQuestions++;
    this.settle(id, { ok: false, fault: 'unavailable', detail: `no answer: ${why}` });
  }
}
