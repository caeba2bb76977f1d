import type { AtMs } from '../../base/clock.ts';
import type { PlayedMark } from '../playout.ts';

interface OwedMark {
  readonly mark: PlayedMark;
  readonly dueAtMs: AtMs;
}

/**
 * Marks a provider was given and has not returned yet, in the order they were given. What it returns without
 * having been given is a stranger's word, or comes after we have answered for it ourselves.
 */
export class OwedMarks {
  readonly stats = { strayMarks: 0, emulatedMarks: 0 };
  readonly #marksMax: number;
  #owed: OwedMark[] = [];

  constructor(marksMax: number) {
    this.#marksMax = marksMax;
  }

  /** False where the provider holds as many as it can: the mark is to be reported by played time. */
  hasRoom(): boolean {
    if (this.#owed.length < this.#marksMax) return true;
    this.stats.emulatedMarks++;
    return false;
  }

  /** Where the provider names no marks: `dueAtMs` is when this one can have been played at the earliest. */
  owe(mark: PlayedMark, dueAtMs = Infinity): void {
    this.#owed.push({ mark, dueAtMs });
  }

  /** The provider says that the mark was played. Undefined where nobody waits for it. */
  settle(name: string): PlayedMark | undefined {
    const place = this.#owed.findIndex(({ mark }) => mark.name === name);
    if (place < 0) {
      this.stats.strayMarks++;
      return undefined;
    }
    return this.#owed.splice(place, 1)[0]!.mark;
  }

  /** The next mark that can have been played by now; undefined when there is none. */
  settleDue(nowMs: AtMs): PlayedMark | undefined {
    const next = this.#owed[0];
    return next === undefined || next.dueAtMs > nowMs ? undefined : this.#owed.shift()!.mark;
  }

  /** All that are owed, and no longer: the provider dropped them without a word. */
  settleAll(): readonly PlayedMark[] {
    const marks = this.#owed.map(({ mark }) => mark);
    this.#owed = [];
    return marks;
  }
}
