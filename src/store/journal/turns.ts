import { VoiceError } from '../../base/errors.ts';

/** One at a time, in the order they came; Kysely's own mutex promises the first but not the second. */
export class Turns {
  readonly stats = { refused: 0, waiting: 0 };
  readonly #waitingMax: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax;
  }

  take<T>(task: () => Promise<T>): Promise<T> {
    if (this.stats.waiting >= this.#waitingMax) {
      this.stats.refused++;
      return Promise.reject(new VoiceError('overloaded', 'too many commits wait for the journal'));
    }
    this.stats.waiting++;
    const turn = this.#last.then(task).finally(() => this.stats.waiting--);
    // The next one's turn comes however this one ended; its caller hears of that.
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** When everything taken so far is done. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
