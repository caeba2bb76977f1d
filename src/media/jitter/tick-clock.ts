import type { AtMs } from '../../base/clock.ts';
import { FRAME_MS } from '../../base/units.ts';

/** How much of a turn's lateness is believed: what a timer is late by says nothing about the network. */
const BELIEVED_RATIO = 1 / 16;
/** Beyond this the clock stood still, or was forgiven turns: there is nothing to smooth. */
const STALL_MS = 300;

/**
 * The instants at which frames are asked for, without the lateness of timers and what is caught up
 * after it.
 */
export class TickClock {
  atMs: AtMs = -Infinity;

  note(nowMs: AtMs): void {
    const lateMs = nowMs - this.atMs - FRAME_MS;
    if (Math.abs(lateMs) > STALL_MS) this.atMs = nowMs;
    else this.atMs += FRAME_MS + lateMs * BELIEVED_RATIO;
  }

  reset(): void {
    this.atMs = -Infinity;
  }
}
