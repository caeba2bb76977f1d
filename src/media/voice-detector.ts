/** Raw opinion of a detector: is this hop speech? Baseline, ours and a neural one stand behind it. */
export interface VoiceDetector {
  /** Samples of one hop: 10 ms. */
  readonly hopSamples: number;
  /** `samples` is exactly one hop, valid until the call returns. */
  isVoice(samples: Int16Array): boolean;
  /**
   * How many hops just before the one last judged bear traces of the same voice, at most `LEAD_HOPS_MAX`:
   * what an onset is traced back by. A detector without it says that a voice begins where it first heard it.
   */
  readonly leadHops?: number;
  /** Gives back what the detector holds (WASM memory). */
  close(): void;
}

/** How far a detector may trace a voice back: a weak first consonant is known by what follows it. */
export const LEAD_HOPS_MAX = 3;

/** Whose opinion is asked: our own detector, the WebRTC one, or a network that the operator names. */
export const DETECTOR_NAMES = ['own', 'fvad', 'neural'] as const;

/** One of `DETECTOR_NAMES`. */
export type DetectorName = (typeof DETECTOR_NAMES)[number];

/** Everything that tunes the edges (media.md §1): settings of the operator, overridden per agent. */
export interface VoiceSettings {
  readonly detector: DetectorName;
  /** 0 (permissive) to 3 (strict). */
  readonly aggressiveness: number;
  /** Voice must last this long before it is reported. */
  readonly startMs: number;
  /** Silence must last this long before voice has ended. */
  readonly stopMs: number;
  /** Quieter frames are never voice. */
  readonly levelMinDbfs: number;
}

export const VOICE_DEFAULTS: VoiceSettings = {
  detector: 'own',
  aggressiveness: 2,
  startMs: 40,
  stopMs: 300,
  levelMinDbfs: -50,
};

/** Opens a detector for a line. Throws for a rate or an aggressiveness that is not heard. */
export interface VoiceDetectors {
  open(sampleRateHz: number, settings: Pick<VoiceSettings, 'detector' | 'aggressiveness'>): VoiceDetector;
}
