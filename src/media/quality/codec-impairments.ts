import type { CodecName } from '../format.ts';
import type { CodecImpairment } from './e-model.ts';

// G.711 with the concealment of its Appendix I, random loss: Ie 0, Bpl 25.1 (ITU-T G.113 Appendix I, as it is
// quoted everywhere; [?] not read in the document itself). Ours is of that class.
const G711_WITH_CONCEALMENT: CodecImpairment = { coding: 0, lossRobustness: 25.1 };

/**
 * Ie and Bpl by codec, on the narrowband scale (R to 93.2), so that legs can be compared whatever they speak.
 * G.113 has no narrowband values for the wideband codecs. All these are assumptions [?]:
 * - L16 is not coded at all: as G.711.
 * - G.722 at 64 kbit/s impairs less than G.711 on the wideband scale of G.107.1 (Ie,wb 13 beside 36, G.113
 *   Appendix IV), so it costs nothing here; its gaps are filled by the same concealer.
 * - Opus: no value of the ITU is known. Nothing for coding at 16 kbit/s and more; a lost packet counts as
 *   one of G.711, since its decoder conceals at least as well; what its FEC brings back is not lost at all.
 */
const IMPAIRMENTS: Readonly<Record<CodecName, CodecImpairment>> = {
  pcmu: G711_WITH_CONCEALMENT,
  pcma: G711_WITH_CONCEALMENT,
  l16: G711_WITH_CONCEALMENT,
  g722: G711_WITH_CONCEALMENT,
  opus: G711_WITH_CONCEALMENT,
};

// Besides the 20 ms that a frame takes to be spoken: the filters of G.722 (its 24 taps at 16 kHz, both ways:
// 1.4 ms), and Opus' look-ahead (6.5 ms at 48 kHz, RFC 6716 §2).
const LOOK_AHEAD_MS: Readonly<Record<CodecName, number>> = { pcmu: 0, pcma: 0, l16: 0, g722: 1.4, opus: 6.5 };

/** What coding and losses cost with a codec. */
export function impairmentOf(codec: CodecName): CodecImpairment {
  return IMPAIRMENTS[codec];
}

/** How long a codec keeps sound besides the length of a frame. */
export function lookAheadMs(codec: CodecName): number {
  return LOOK_AHEAD_MS[codec];
}
