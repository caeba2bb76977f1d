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
  /** Times the sender started over (sequence jumped further than the buffer spans). */
  resets: number;
}

/** What `playInto` put in the target. `waiting`: nothing is due yet, the target is silence. */
export type Played = 'audio' | 'concealed' | 'waiting';

/**
 * Between arrival and playing: puts frames in order and holds them until their turn. Behind this contract
 * stand the
 * fixed buffer and the adaptive one. Sequence numbers wrap at 16 bits (RFC 3550 §5.1). Frames are copied in
 * and out.
 */
export interface JitterBuffer {
  readonly stats: Readonly<JitterStats>;
  /**
   * How long audio is held at the moment; 0 means that a frame in order is forwarded in the turn it arrived.
   */
  readonly targetMs: number;
  readonly depthMs: number;
  /** `timestampSamples` is the sender's media clock, in samples. */
  insert(frame: Int16Array, sequence: number, timestampSamples: number, arrivedAtMs: AtMs): void;
  /** Fills `target` with the next frame to play at `nowMs`. */
  playInto(nowMs: AtMs, target: Int16Array): Played;
  /** Forgets what is held, as after a hold or a new stream. */
  reset(): void;
}
