import type { JitterBuffer } from '../../media/jitter/jitter-buffer.ts';
import type { FrameCounters } from '../counters.ts';
import type { PacketOrder } from './packet-order.ts';

/** What of a leg's audio did not come as it should, told by everybody on its way in who notices. */
export class Losses {
  readonly #jitter: JitterBuffer;
  readonly #order: PacketOrder;
  readonly #counters: FrameCounters;
  #madeUpFrames = 0;
  readonly #counted = { late: 0, lost: 0, duplicate: 0, concealed: 0, overflow: 0 };

  constructor(jitter: JitterBuffer, order: PacketOrder, counters: FrameCounters) {
    this.#jitter = jitter;
    this.#order = order;
    this.#counters = counters;
  }

  get lateFrames(): number {
    return this.#jitter.stats.lateFrames + this.#order.latePackets;
  }

  get lostFrames(): number {
    return this.#jitter.stats.lostFrames + this.#madeUpFrames;
  }

  get duplicateFrames(): number {
    return this.#jitter.stats.duplicateFrames + this.#order.duplicatePackets;
  }

  /** Frames played that nobody sent: by the jitter buffer, or by the codec out of what its packets repeat. */
  get concealedFrames(): number {
    return this.#jitter.stats.concealedFrames + this.#madeUpFrames;
  }

  /** The codec said what lost packets said, or something like it. */
  madeUp(frames: number): void {
    this.#madeUpFrames += frames;
  }

  /** Passes on what was not passed on yet: called whenever any of it may have changed. */
  count(): void {
    const { late, lost, duplicate, concealed, overflow } = this.#counted;
    this.#counted.late = this.lateFrames;
    this.#counted.lost = this.lostFrames;
    this.#counted.duplicate = this.duplicateFrames;
    this.#counted.concealed = this.concealedFrames;
    this.#counted.overflow = this.#jitter.stats.overflowFrames;
    this.#counters.droppedHeldFrames += this.#counted.overflow - overflow;
    this.#counters.lateFrames += this.#counted.late - late;
    this.#counters.lostFrames += this.#counted.lost - lost;
    this.#counters.duplicateFrames += this.#counted.duplicate - duplicate;
    this.#counters.concealedFrames += this.#counted.concealed - concealed;
  }
}
