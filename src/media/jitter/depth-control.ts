import { FRAME_MS } from '../../base/units.ts';

/** One frame may leave and the target is still kept, with this to spare so that depth does not swing. */
export const SPARE_MS = FRAME_MS + 2;
/** A sender known to be slow is met this much before it would be missed. */
const SLOW_GUARD_MS = 2;
const SLOW_PPM = -10;
/** Depth changes at most so often, in reads of one frame or two, so that speech keeps its rhythm. */
const STRETCH_EVERY_READS = 3;
/** This far from where it should be, depth changes a little faster. */
const HURRY_MS = 40;
const HURRY_EVERY_READS = 2;
/** A backlog so long is not listened to, it is got through: three frames at a time, three periods less. */
const RUSH_MS = 800;
/** A buffer that had to grow does not shrink for a while, unless it is far too deep: it would swing. */
const SETTLE_READS = 100;

/** What is to be done with the next frame: `shorten` takes two frames together, `rush` three. */
export type DepthStep = 'play' | 'lengthen' | 'shorten' | 'rush';

/** Makes the depth of a jitter buffer follow its target, a pitch period now and then. */
export class DepthControl {
  #readsSinceStretch = 0;
  #readsSinceGrowth = SETTLE_READS;

  /** To be asked once a read. `spareMs`: how much more than the target is held; below 0 it is too little. */
  next(spareMs: number, driftPpm: number): DepthStep {
    this.#readsSinceStretch++;
    this.#readsSinceGrowth++;
    if (spareMs >= SPARE_MS && this.#mayShrink(spareMs)) return spareMs >= RUSH_MS ? 'rush' : 'shorten';
    const guardMs = driftPpm < SLOW_PPM ? SLOW_GUARD_MS : 0;
    return spareMs < guardMs && this.#mayStretch(-spareMs) ? 'lengthen' : 'play';
  }

  /** Sound was made shorter. */
  shrank(): void {
    this.#readsSinceStretch = 0;
  }

  /** Sound was made longer. */
  grew(): void {
    this.#readsSinceStretch = 0;
    this.#readsSinceGrowth = 0;
  }

  /** Nothing was held, and a frame was made up: the buffer is one deeper once the delayed ones come. */
  starved(): void {
    this.#readsSinceGrowth = 0;
  }

  #mayShrink(spareMs: number): boolean {
    if (this.#readsSinceGrowth < SETTLE_READS && spareMs < FRAME_MS + HURRY_MS) return false;
    return this.#mayStretch(spareMs);
  }

  #mayStretch(awayMs: number): boolean {
    if (awayMs >= RUSH_MS) return true;
    return this.#readsSinceStretch >= (awayMs >= HURRY_MS ? HURRY_EVERY_READS : STRETCH_EVERY_READS);
  }
}
