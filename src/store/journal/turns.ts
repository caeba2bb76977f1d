import { VoiceError } from '../../base/errors.ts';

export interface TurnsOptions<Member> {
  /** Callers that may wait, members of groups included. */
  readonly waitingMax: number;
  readonly groupMax: number;
  /** Before a group begins: others may still join it. */
  readonly pause: () => Promise<void>;
  /** Answers its members by itself; never throws. */
  readonly together: (group: readonly Member[]) => Promise<void>;
}

/**
 * One at a time, in the order they came; Kysely's own mutex promises the first but not the second. Members of
 * a group have one turn together: whoever comes before it has begun, and before anybody took a turn
 * behind it.
 */
export class Turns<Member = never> {
  readonly stats = { refused: 0, waiting: 0 };
  readonly #options: TurnsOptions<Member>;
  /** The group that waits at the end of the line. */
  #open: Member[] | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TurnsOptions<Member>) {
    this.#options = options;
  }

  take<T>(task: () => Promise<T>): Promise<T> {
    const refusal = this.#enter();
    if (refusal !== undefined) return Promise.reject(refusal);
    this.#open = undefined;
    return this.#line(task, () => 1);
  }

  /** The group that it joins answers it; undefined unless it is refused. */
  join(member: Member): VoiceError | undefined {
    const refusal = this.#enter();
    if (refusal !== undefined) return refusal;
    const { groupMax, together } = this.#options;
    if (this.#open !== undefined && this.#open.length < groupMax) {
      this.#open.push(member);
      return undefined;
    }
    const group = [member];
    this.#open = group;
    const task = async (): Promise<void> => {
      await this.#options.pause();
      if (this.#open === group) this.#open = undefined;
      return together(group);
    };
    void this.#line(task, () => group.length);
    return undefined;
  }

  /** When everything taken so far is done. */
  async settled(): Promise<void> {
    await this.#last;
  }

  #enter(): VoiceError | undefined {
    if (this.stats.waiting < this.#options.waitingMax) {
      this.stats.waiting++;
      return undefined;
    }
    this.stats.refused++;
    return new VoiceError('overloaded', 'too many commits wait for the journal');
  }

  #line<T>(task: () => Promise<T>, callers: () => number): Promise<T> {
    const turn = this.#last.then(task).finally(() => {
      this.stats.waiting -= callers();
    });
    // The next one's turn comes however this one ended; its caller hears of that.
    this.#last = turn.catch(() => {});
    return turn;
  }
}
