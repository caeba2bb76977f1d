/** Items that may wait to be heard at once; of more than these the oldest are forgotten, and counted. */
const ITEMS_MAX = 64;

/** How much of which item was heard. */
export interface HeardItem {
  readonly itemId: string | null;
  readonly playedFrames: number;
}

interface SpokenItem {
  readonly id: string | null;
  /** Frames said before its first. */
  readonly afterFrames: number;
}

/**
 * What an agent has said to whoever listens, in frames: with what still waits to be played it follows what
 * was heard, and of which item, however often the queue ran empty on the way.
 */
export class SpokenItems {
  readonly stats = { forgottenItems: 0 };
  #saidFrames = 0;
  #items: SpokenItem[] = [];
  #isOpen = false;

  /** The audio that follows belongs to this item. */
  began(id: string | null): void {
    this.#items.push({ id, afterFrames: this.#saidFrames });
    this.#isOpen = true;
    if (this.#items.length <= ITEMS_MAX) return;
    this.#items.shift();
    this.stats.forgottenItems++;
  }

  /** All audio of the item was sent: what is said without a word is another. */
  ended(): void {
    this.#isOpen = false;
  }

  /** One frame was said. Without a word of its agent an item begins where nothing was waiting to be heard. */
  said(waitingFrames: number): void {
    if (!this.#isOpen) {
      if (waitingFrames <= 1 || this.#items.length === 0) this.#items = [];
      if (this.#items.length === 0) this.#items.push({ id: null, afterFrames: this.#saidFrames });
    }
    this.#saidFrames++;
  }

  /** The item that is being heard, while so many frames wait. */
  heard(waitingFrames: number): HeardItem {
    const heardFrames = Math.max(0, this.#saidFrames - waitingFrames);
    const item = this.#items.findLast(({ afterFrames }) => afterFrames <= heardFrames) ?? this.#items[0];
    if (item === undefined) return { itemId: null, playedFrames: 0 };
    return { itemId: item.id, playedFrames: Math.max(0, heardFrames - item.afterFrames) };
  }

  /** What waited will never be heard. */
  cut(waitingFrames: number): void {
    this.#saidFrames = Math.max(0, this.#saidFrames - waitingFrames);
    this.#items = this.#items.filter(({ afterFrames }) => afterFrames <= this.#saidFrames);
  }
}
