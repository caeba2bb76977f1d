/** What counts as a key. Limits lie between what ITU-T Q.24 wants accepted and what it wants refused. */
export interface DtmfSettings {
  /** Each tone must be as loud as this. Q.24 (AT&T): −25 dBm works, −55 dBm does not. */
  readonly levelMinDbm0: number;
  /** How much louder the high tone may be, and how much the low one. Q.24 (AT&T): 4 dB and 8 dB at least. */
  readonly highOverLowMaxDb: number;
  readonly lowOverHighMaxDb: number;
  /** How far a tone may be from its frequency. Q.24 (AT&T): 1.5 % works, 3.5 % does not. */
  readonly offsetMaxPercent: number;
  /** A key is told once it has lasted this long. Q.24 (AT&T): 40 ms work, 23 ms do not. */
  readonly durationMinMs: number;
  /**
   * A key is over once it was gone so long. Q.24: interruptions of 10 ms are bridged, pauses of 40 ms
   * separate.
   */
  readonly pauseMinMs: number;
  /** What the two tones must have of all power: lower hears in more noise, higher mistakes fewer voices. */
  readonly shareMinRatio: number;
  /** A key that has lasted so long may be drowned deeper: no voice holds its notes for that time. */
  readonly longMs: number;
  readonly longShareMinRatio: number;
}

/** The limits of AT&T in Q.24, with room on both sides. */
export const DTMF_DEFAULTS: DtmfSettings = {
  levelMinDbm0: -36,
  highOverLowMaxDb: 9.5,
  lowOverHighMaxDb: 9.5,
  offsetMaxPercent: 2.4,
  durationMinMs: 31,
  pauseMinMs: 25,
  shareMinRatio: 0.75,
  longMs: 60,
  longShareMinRatio: 0.55,
};
