/**
 * A first-in first-out queue that refuses instead of growing. `push` is false, and counted, when it is full.
 */
export class BoundedQueue<T> {
  readonly stats = { refused: 0 };
  readonly #itemsMax: number;
  #items: (T | undefined)[] = [];
  #head = 0;

  constructor(itemsMax: number) {
    this.#itemsMax = itemsMax;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): boolean {
    if (this.length >= this.#itemsMax) {
      this.stats.refused++;
      return false;
    }
    this.#items.push(item);
    return true;
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    // Compact once the dead half outweighs the living, so that a long-lived queue stays O(1) and small.
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
