/** What a line can say without a voice. */
const TONE_NAMES = [
  'beep',
  'fax_cng',
  'fax_ced',
  'ringback',
  'busy',
  'congestion',
  'dial',
  'special_information',
] as const;

/** One of `TONE_NAMES`. */
export type ToneName = (typeof TONE_NAMES)[number];

/**
 * A tone was made out. A beep and the fax's call are told when they are over, the others as soon as they
 * are sure.
 */
export interface ToneDetected {
  readonly type: 'tone_detected';
  readonly tone: ToneName;
  /** Media time at which it was sure. */
  readonly atMs: number;
  /** Media time at which it began: that of its first burst. */
  readonly onsetMs: number;
  /** 0 to 1: how pure it was, and how much of its cadence was heard. */
  readonly confidence: number;
  /** Of a single tone. */
  readonly frequencyHz?: number;
}

/** A tone that goes on for long has stopped. */
export interface ToneEnded {
  readonly type: 'tone_ended';
  readonly tone: ToneName;
  readonly atMs: number;
  /** From its first to its last sample. */
  readonly durationMs: number;
}

export type ToneEdge = ToneDetected | ToneEnded;

/** Where those who hear tones tell them. */
export type TellTone = (edge: ToneEdge) => void;

/** Confidence as it is told, to a hundredth. */
export function confidenceOf(ratio: number): number {
  return Math.round(100 * Math.min(1, Math.max(0, ratio))) / 100;
}
