/**
 * Marks a provider was given and has not returned yet, in the order they were given. What it returns without
 * having been given is a stranger's word, or comes after we have answered for it ourselves.
 */
export class OwedMarks {
  readonly stats = { strayMarks: 0, emulatedMarks: 0 };
  readonly #marksMax: number;
  readonly #names: string[] = [];

  constructor(marksMax: number) {
    this.#marksMax = marksMax;
  }

  /** False where the provider holds as many as it can: the mark is to be reported by played time. */
  hasRoom(): boolean {
    if (this.#names.length < this.#marksMax) return true;
    this.stats.emulatedMarks++;
    return false;
  }

  owe(name: string): void {
    this.#names.push(name);
  }

  /** The provider says that the mark was played. False where nobody waits for it. */
  settle(name: string): boolean {
    const place = this.#names.indexOf(name);
    if (place < 0) {
      this.stats.strayMarks++;
      return false;
    }
    this.#names.splice(place, 1);
    return true;
  }

  /** All that are owed, and no longer: the provider dropped them without a word. */
  settleAll(): readonly string[] {
    return this.#names.splice(0);
  }
}
