/** Numbers the events of one resource: gapless, from 1 (contract.md §5.1). */
export class Sequence {
  #last: number;

  /** `last` is the highest number already given: a new owner goes on from it. */
  constructor(last = 0) {
    this.#last = last;
  }

  get last(): number {
    return this.#last;
  }

  next(): number {
    return ++this.#last;
  }
}
