import { invariant } from '../base/errors.ts';
import { sliceIntoFrames } from './frame-ring.ts';

/** How much a pool may hold. */
export interface FramePoolOptions {
  readonly frameSamples: number;
  /** Frames made at once. */
  readonly framesMin: number;
  readonly framesMax: number;
}

/**
 * Frame slots of a whole node, one pool for each sample rate. Slots are made at start and by `reserve`,
 * never by `take`: the tick does not allocate. A slot taken belongs to its taker until it is given back.
 */
export class FramePool {
  readonly stats = { refusedTakes: 0, refusedReserves: 0 };
  readonly frameSamples: number;
  readonly #framesMax: number;
  // Filled up to `#freeFrames`. Never shortened: an array that shrinks and grows again reallocates.
  readonly #free: Int16Array[] = [];
  #freeFrames = 0;
  #madeFrames = 0;

  constructor({ frameSamples, framesMin, framesMax }: FramePoolOptions) {
    invariant(framesMin <= framesMax, 'a pool starts within its limit');
    this.frameSamples = frameSamples;
    this.#framesMax = framesMax;
    this.reserve(framesMin);
  }

  /** Slots ready to be taken. */
  get freeFrames(): number {
    return this.#freeFrames;
  }

  /** Slots that exist, taken or free. */
  get madeFrames(): number {
    return this.#madeFrames;
  }

  /** A slot with old sound in it, or undefined, counted, when none is free. */
  take(): Int16Array | undefined {
    if (this.#freeFrames === 0) {
      this.stats.refusedTakes++;
      return undefined;
    }
    return this.#free[--this.#freeFrames];
  }

  giveBack(frame: Int16Array): void {
    invariant(this.#freeFrames < this.#madeFrames, 'more frames came back than were taken');
    invariant(frame.length === this.frameSamples, 'a frame came back to the wrong pool');
    this.#free[this.#freeFrames++] = frame;
  }

  /**
   * Makes sure that `frames` slots are free, outside the tick. False, and counted, where the limit stands
   * before that; what fits is made all the same.
   */
  reserve(frames: number): boolean {
    const wantedFrames = Math.max(0, frames - this.#freeFrames);
    const newFrames = Math.min(wantedFrames, this.#framesMax - this.#madeFrames);
    for (const frame of sliceIntoFrames(newFrames, this.frameSamples)) {
      this.#free[this.#freeFrames++] = frame;
    }
    this.#madeFrames += newFrames;
    // Room for every slot to come home: giving back must not grow the array either.
    while (this.#free.length < this.#madeFrames) this.#free.push(this.#free[0]!);
    if (newFrames === wantedFrames) return true;
    this.stats.refusedReserves++;
    return false;
  }
}
