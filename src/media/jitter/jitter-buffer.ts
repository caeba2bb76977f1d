import type { AtMs } from '../../base/clock.ts';

export interface JitterStats {
  /** Frames accepted in order or put in order. */
  receivedFrames: number;
  /** Frames that never came in time. */
  lostFrames: number;
  /** Frames that came after their turn had passed. */
  lateFrames: number;
  duplicateFrames: number;
  /** Frames dropped because the buffer was full: the oldest goes. */
  overflowFrames: number;
  /** Frames played that nobody sent. */
  concealedFrames: number;
  /** Frames of comfort noise, while the sender left out silence or paused. */
  comfortFrames: number;
  /** Sound made longer and shorter, to play later or earlier, in samples. */
  addedSamples: number;
  removedSamples: number;
  /** Times the sender started over (sequence jumped further than the buffer spans). */
  resets: number;
}

/**
 * What `playInto` put in the target. `comfort`: the line's own noise, where nobody spoke. `waiting`: nothing
 * is due, the target is silence.
 */
export type Played = 'audio' | 'concealed' | 'comfort' | 'waiting';

/**
 * Between arrival and playing: puts frames in order and holds them until their turn. Behind this contract
 * stand the fixed buffer and the adaptive one. Sequence numbers wrap at 16 bits, timestamps at 32 (RFC 3550
 * §5.1). Frames are copied in and out.
 */
export interface JitterBuffer {
  readonly stats: Readonly<JitterStats>;
  /**
   * How long audio is held at the moment; 0 means that there is no clock: a frame in order is forwarded in
   * the turn it arrived.
   */
  readonly targetMs: number;
  readonly depthMs: number;
  /** By how many parts per million the sender's clock is faster than ours; 0 while nobody knows. */
  readonly driftPpm: number;
  /** `timestampSamples` is the sender's media clock, in samples; -1 where the wire has none. */
  insert(frame: Int16Array, sequence: number, timestampSamples: number, arrivedAtMs: AtMs): void;
  /** Fills `target` with the next frame to play at `nowMs`. */
  playInto(nowMs: AtMs, target: Int16Array): Played;
  /** Forgets what is held, as after a hold or a new stream, and gives back what was lent. */
  reset(): void;
}

/** Nothing has happened yet. */
export function newJitterStats(): JitterStats {
  return {
    receivedFrames: 0,
    lostFrames: 0,
    lateFrames: 0,
    duplicateFrames: 0,
    overflowFrames: 0,
    concealedFrames: 0,
    comfortFrames: 0,
    addedSamples: 0,
    removedSamples: 0,
    resets: 0,
  };
}
