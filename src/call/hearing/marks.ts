import type { CallCounts } from '../call-counts.ts';

/** Marks that wait for their audio in one call; the oldest are forgotten, which tells nobody of them. */
const MARKS_MAX = 1_024;

interface Owed {
  readonly listenerId: string;
  readonly name: string;
  readonly speakerId: string;
}

/** Who asked for which mark at whose ear: two speakers may give the same name. */
export class Marks {
  readonly #counts: Pick<CallCounts, 'forgottenMarks'>;
  readonly #owed: Owed[] = [];

  constructor(counts: Pick<CallCounts, 'forgottenMarks'>) {
    this.#counts = counts;
  }

  ask(owed: Owed): void {
    this.#owed.push(owed);
    if (this.#owed.length <= MARKS_MAX) return;
    this.#owed.shift();
    this.#counts.forgottenMarks++;
  }

  /** The mark was reached: who asked for it, the earliest first. */
  settle(listenerId: string, name: string): string | undefined {
    const place = this.#owed.findIndex((owed) => owed.listenerId === listenerId && owed.name === name);
    return place < 0 ? undefined : this.#owed.splice(place, 1)[0]!.speakerId;
  }
}
