/**
 * Marks under short ids of our own, for providers that echo an id: what calls name their marks is as long as
 * they like, may hold quotes, and may come twice. Ids are never used again, so that one that comes late,
 * after its mark was given up, is told from the same name given anew.
 */
export class ShortMarks {
  readonly stats = { lateMarks: 0 };
  readonly #names = new Map<string, string>();
  #given = 0;

  /** The id to send for a mark. */
  give(name: string): string {
    const id = `m${++this.#given}`;
    this.#names.set(id, name);
    return id;
  }

  /**
   * The mark of an id that came back; undefined for one that is late. What is no id of ours is left as it
   * is.
   */
  take(id: string): string | undefined {
    const name = this.#names.get(id);
    if (name !== undefined) {
      this.#names.delete(id);
      return name;
    }
    const number = /^m(\d{1,15})$/.exec(id)?.[1];
    if (number === undefined || Number(number) > this.#given) return id;
    this.stats.lateMarks++;
    return undefined;
  }

  /** None that is on its way counts any more. */
  giveUp(): void {
    this.#names.clear();
  }
}
