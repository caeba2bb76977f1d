import { invariant } from '../base/errors.ts';

/** The last frames of something, in slots made at construction: a full ring overwrites its oldest. */
export class FrameRing {
  readonly stats = { overwrittenFrames: 0 };
  readonly #frames: readonly Int16Array[];
  #oldest = 0;
  #length = 0;

  constructor(framesMax: number, frameSamples: number) {
    invariant(framesMax > 0, 'a ring holds at least one frame');
    this.#frames = sliceIntoFrames(framesMax, frameSamples);
  }

  get length(): number {
    return this.#length;
  }

  get framesMax(): number {
    return this.#frames.length;
  }

  /** Copies `frame`, which is exactly one slot long, behind the newest. */
  push(frame: Int16Array): void {
    this.#slot(this.#length).set(frame);
    if (this.#length < this.#frames.length) {
      this.#length++;
      return;
    }
    this.#oldest = (this.#oldest + 1) % this.#frames.length;
    this.stats.overwrittenFrames++;
  }

  /** Moves the oldest frame into `target`; false when there is none. */
  shiftInto(target: Int16Array): boolean {
    if (this.#length === 0) return false;
    target.set(this.#slot(0));
    this.#oldest = (this.#oldest + 1) % this.#frames.length;
    this.#length--;
    return true;
  }

  clear(): void {
    this.#oldest = 0;
    this.#length = 0;
  }

  #slot(age: number): Int16Array {
    return this.#frames[(this.#oldest + age) % this.#frames.length]!;
  }
}

/** `count` frames of silence in one block of memory: one allocation instead of many. */
export function sliceIntoFrames(count: number, frameSamples: number): readonly Int16Array[] {
  const block = new Int16Array(count * frameSamples);
  return Array.from({ length: count }, (_, index) =>
    block.subarray(index * frameSamples, (index + 1) * frameSamples),
  );
}
