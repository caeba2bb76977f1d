import type { AtMs } from '../../base/clock.ts';

/**
 * Marks under short ids of our own, for providers that echo an id: what calls name their marks is as long as
 * they like, may hold quotes, and may come twice. Ids are never used again, so that one that comes late,
 * after its mark was given up, is told from the same name given anew.
 */
export class ShortMarks {
  readonly stats = { lateMarks: 0 };
  readonly #names = new Map<string, string>();
  /** Of this session alone, where another one may have gone before it on the same connection. */
  readonly #prefix: string;
  #given = 0;

  /** `openedAtMs` tells its ids from those of a session that it goes on for; absent where it never does. */
  constructor(openedAtMs?: AtMs) {
    this.#prefix = openedAtMs === undefined ? 'm' : `m${Math.trunc(openedAtMs * 1000).toString(36)}-`;
  }

  /** The id to send for a mark. */
  give(name: string): string {
    const id = `${this.#prefix}${++this.#given}`;
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
    if (!this.#isLate(id)) return id;
    this.stats.lateMarks++;
    return undefined;
  }

  /** Given up, or given by the session before. */
  #isLate(id: string): boolean {
    const [, prefix, number] = /^(m(?:[0-9a-z]+-)?)(\d{1,15})$/.exec(id) ?? [];
    if (prefix === undefined) return false;
    return prefix === this.#prefix ? Number(number) <= this.#given : prefix !== 'm' && this.#prefix !== 'm';
  }

  /** None that is on its way counts any more. */
  giveUp(): void {
    this.#names.clear();
  }
}
