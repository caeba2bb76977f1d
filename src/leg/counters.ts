/** Frames of many legs of one kind, counted together: what `/metrics` reads. */
export interface FrameCounters {
  receivedFrames: number;
  playedFrames: number;
  lateFrames: number;
  lostFrames: number;
  concealedFrames: number;
  duplicateFrames: number;
  /** The socket or the provider still held older frames: what would wait is dropped (media.md §3). */
  droppedBusyFrames: number;
  /** The playout queue was full. */
  droppedFullFrames: number;
  /** The jitter buffer was full: its oldest go. */
  droppedHeldFrames: number;
  /** Audio messages no frame could be cut from. */
  refusedMessages: number;
}

export function newFrameCounters(): FrameCounters {
  return {
    receivedFrames: 0,
    playedFrames: 0,
    lateFrames: 0,
    lostFrames: 0,
    concealedFrames: 0,
    duplicateFrames: 0,
    droppedBusyFrames: 0,
    droppedFullFrames: 0,
    droppedHeldFrames: 0,
    refusedMessages: 0,
  };
}
