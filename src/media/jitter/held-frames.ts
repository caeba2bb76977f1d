/** Frame slots lent by whoever has them. */
export interface FrameSlots {
  take(): Int16Array | undefined;
  giveBack(frame: Int16Array): void;
}

const NOTHING = new Int16Array(0);
const NEVER = -1;

/**
 * Frames by their numbers, in lent slots. Remembers the numbers it held, as long as no other takes
 * their place.
 */
export class HeldFrames {
  readonly #slots: FrameSlots;
  readonly #frames: Int16Array[];
  readonly #numbers: Float64Array;
  readonly #silentBefore: Int32Array;
  #length = 0;

  constructor(framesMax: number, slots: FrameSlots) {
    this.#slots = slots;
    this.#frames = Array.from({ length: framesMax }, () => NOTHING);
    this.#numbers = new Float64Array(framesMax).fill(NEVER);
    this.#silentBefore = new Int32Array(framesMax);
  }

  get length(): number {
    return this.#length;
  }

  get framesMax(): number {
    return this.#frames.length;
  }

  has(number: number): boolean {
    const index = number % this.#frames.length;
    return this.#numbers[index] === number && this.#frames[index] !== NOTHING;
  }

  /** Whether a frame of this number was ever held. */
  knows(number: number): boolean {
    return this.#numbers[number % this.#frames.length] === number;
  }

  /** The frame itself, until it is released. */
  at(number: number): Int16Array {
    return this.#frames[number % this.#frames.length]!;
  }

  /** Frames of silence that the sender left out before this one. */
  silentBefore(number: number): number {
    return this.#silentBefore[number % this.#frames.length]!;
  }

  /** Copies the frame; false when no slot is to be had. */
  hold(frame: Int16Array, number: number, silentFrames: number): boolean {
    const slot = this.#slots.take();
    if (slot === undefined) return false;
    slot.set(frame);
    const index = number % this.#frames.length;
    this.#frames[index] = slot;
    this.#numbers[index] = number;
    this.#silentBefore[index] = silentFrames;
    this.#length++;
    return true;
  }

  release(number: number): void {
    const index = number % this.#frames.length;
    this.#slots.giveBack(this.#frames[index]!);
    this.#frames[index] = NOTHING;
    this.#length--;
  }

  /** The first number from `number` on that is held; there must be one. */
  nextFrom(number: number): number {
    let next = number;
    while (!this.has(next)) next++;
    return next;
  }

  clear(): void {
    for (let index = 0; index < this.#frames.length; index++) {
      if (this.#frames[index] !== NOTHING) this.#slots.giveBack(this.#frames[index]!);
      this.#frames[index] = NOTHING;
    }
    this.#numbers.fill(NEVER);
    this.#length = 0;
  }
}
