import { invariant } from '../base/errors.ts';
import { KIB } from '../base/units.ts';

/** The longest run of codec bytes one message of a provider may bring (contract.md §9). */
export const PUSHED_BYTES_MAX = 64 * KIB;

const NOTHING = new Uint8Array(0);

/**
 * Cuts arbitrary runs of codec bytes into whole 20 ms frames: `push` a run, then `while (cutter.next())
 * use(cutter.frame)`. What is left waits for the next run, so an odd byte of L16 meets its partner. The run
 * is read in place: it must stay as it is until `next` has said false.
 */
export class FrameCutter {
  readonly stats = { cutFrames: 0, droppedBytes: 0 };
  /** The frame of the last `next` that said true; valid until the following one. */
  readonly frame: Uint8Array;
  readonly #runBytesMax: number;
  /** Bytes already in `frame`; a full one has been handed out. */
  #filledBytes = 0;
  #source: Uint8Array = NOTHING;
  #readAt = 0;
  #endAt = 0;

  /** `frameBytes` is the codec's: only codecs of constant frames are cut, packets carry their own borders. */
  constructor(frameBytes: number, runBytesMax = PUSHED_BYTES_MAX) {
    invariant(frameBytes > 0, 'only codecs with frames of constant size can be cut');
    this.frame = new Uint8Array(frameBytes);
    this.#runBytesMax = runBytesMax;
  }

  /** Bytes waiting for the rest of their frame. */
  get waitingBytes(): number {
    return this.#filledBytes === this.frame.length ? 0 : this.#filledBytes;
  }

  /** Takes the first `count` bytes of `bytes`. Of a run beyond the limit the oldest whole frames go. */
  push(bytes: Uint8Array, count: number): void {
    invariant(this.#readAt === this.#endAt, 'a run was pushed before the one before was cut');
    invariant(count >= 0 && count <= bytes.length, 'a run is longer than its buffer');
    this.#source = bytes;
    this.#endAt = count;
    this.#readAt = count > this.#runBytesMax ? this.#skip(count - this.#runBytesMax) : 0;
  }

  /** Whether a whole frame is in `frame`. False once the run is used up. */
  next(): boolean {
    const filledBytes = this.waitingBytes;
    const copiedBytes = Math.min(this.frame.length - filledBytes, this.#endAt - this.#readAt);
    copyInto(this.#source, this.#readAt, this.frame, filledBytes, copiedBytes);
    this.#readAt += copiedBytes;
    this.#filledBytes = filledBytes + copiedBytes;
    if (this.#filledBytes === this.frame.length) {
      this.stats.cutFrames++;
      return true;
    }
    this.#source = NOTHING;
    this.#readAt = 0;
    this.#endAt = 0;
    return false;
  }

  /** Forgets the remainder, as at a new stream. */
  reset(): void {
    this.stats.droppedBytes += this.waitingBytes + this.#endAt - this.#readAt;
    this.#filledBytes = 0;
    this.#source = NOTHING;
    this.#readAt = 0;
    this.#endAt = 0;
  }

  // Whole frames only: half a sample dropped would turn all that follows into noise.
  #skip(excessBytes: number): number {
    const frameBytes = this.frame.length;
    const skippedBytes = Math.ceil(excessBytes / frameBytes) * frameBytes;
    this.stats.droppedBytes += skippedBytes;
    return skippedBytes;
  }
}

// `set` would need a view made per frame.
function copyInto(
  source: Uint8Array,
  readAt: number,
  target: Uint8Array,
  writeAt: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) target[writeAt + i] = source[readAt + i]!;
}
