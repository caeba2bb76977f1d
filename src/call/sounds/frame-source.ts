/** Sound that is asked for, a frame at a time. */
export interface FrameSource {
  /** Fills the whole frame, the end of a sound with silence behind it. False when nothing is left. */
  nextInto(frame: Int16Array): boolean;
}
