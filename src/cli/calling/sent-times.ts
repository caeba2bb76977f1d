import type { AtMs } from '../../base/clock.ts';
import { FRAME_MS } from '../../base/units.ts';

// 20 seconds: whatever is answered later is not answered in a call.
const REMEMBERED_FRAMES = 1024;

/** When each of the latest frames of a call was sent. */
export class SentTimes {
  readonly #atMs = new Float64Array(REMEMBERED_FRAMES).fill(Number.NaN);
  /** One more than the highest frame that was sent. */
  #frames = 0;

  get frames(): number {
    return this.#frames;
  }

  note(index: number, atMs: AtMs): void {
    // A frame that was lost on purpose must not keep the instant of one 20 seconds before.
    for (let skipped = this.#frames; skipped < index; skipped++) this.#atMs[slotOf(skipped)] = Number.NaN;
    this.#atMs[slotOf(index)] = atMs;
    this.#frames = Math.max(this.#frames, index + 1);
  }

  /** Undefined where the frame was never sent, or too long ago. */
  of(index: number): AtMs | undefined {
    if (index < 0 || index >= this.#frames || index < this.#frames - REMEMBERED_FRAMES) return undefined;
    const atMs = this.#atMs[slotOf(index)]!;
    return Number.isNaN(atMs) ? undefined : atMs;
  }

  /** When the frame was sent that holds this instant of the caller's media time. */
  ofMediaMs(mediaMs: number): AtMs | undefined {
    return this.of(Math.floor(mediaMs / FRAME_MS));
  }
}

function slotOf(index: number): number {
  return index % REMEMBERED_FRAMES;
}
