/** What of a codec the E-model wants to know (ITU-T G.113). */
export interface CodecImpairment {
  /** Ie: what coding costs without any loss. */
  readonly coding: number;
  /** Bpl: how well it bears lost packets; the percentage of random loss that costs half of what is left. */
  readonly lossRobustness: number;
}

/** What a listener's sound went through. */
export interface Transmission {
  readonly codec: CodecImpairment;
  /** From mouth to ear: packets, network, jitter buffer. */
  readonly delayMs: number;
  /** Frames that were made up because none came. */
  readonly lossRatio: number;
  /** How much longer losses last than chance would have it; 1 is chance (G.107 §7.5). */
  readonly burstRatio: number;
}

/** R of a connection with all the default values of G.107; here only delay, coding and loss lower it. */
const R_FACTOR_MAX = 93.2;
const MOS_MAX = 4.5;
// Beyond this delay conversation suffers: Cole and Rosenbluth, "Voice over IP performance monitoring" (2001),
// whose two lines stand for the delay impairment of G.107 §7.4.
const DELAY_KNEE_MS = 177.3;

/** The transmission rating R of G.107, 0 to 93.2: an estimate by transport, nobody has listened. */
export function rFactorOf({ codec, delayMs, lossRatio, burstRatio }: Transmission): number {
  const delayed = 0.024 * delayMs + 0.11 * Math.max(0, delayMs - DELAY_KNEE_MS);
  const lossPercent = 100 * lossRatio;
  // The effective equipment impairment of G.107 §7.5.
  const weighted = lossPercent / (lossPercent / burstRatio + codec.lossRobustness);
  const impaired = codec.coding + (95 - codec.coding) * weighted;
  return Math.max(0, Math.min(R_FACTOR_MAX, R_FACTOR_MAX - delayed - impaired));
}

/** The mean opinion score that R stands for, 1 to 4.5 (G.107 Annex B). */
export function mosOf(rFactor: number): number {
  if (rFactor <= 0) return 1;
  if (rFactor >= 100) return MOS_MAX;
  const mos = 1 + 0.035 * rFactor + rFactor * (rFactor - 60) * (100 - rFactor) * 7e-6;
  // Below R = 6.5 the polynomial dips under the worst score there is.
  return Math.max(1, mos);
}

/**
 * The burst ratio of G.107 §7.5: the mean length of the runs that were lost, over what it would be had the
 * same share been lost at random. Never below 1: that would credit a line for losses spread evenly.
 */
export function burstRatioOf(lossRatio: number, meanRunFrames: number): number {
  return lossRatio <= 0 || lossRatio >= 1 ? 1 : Math.max(1, meanRunFrames * (1 - lossRatio));
}
