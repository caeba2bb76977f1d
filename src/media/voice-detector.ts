/** Raw opinion of a detector: is this hop speech? Baseline, ours and a neural one stand behind it. */
export interface VoiceDetector {
  /** Samples of one hop: 10 ms. */
  readonly hopSamples: number;
  /** `samples` is exactly one hop, valid until the call returns. */
  isVoice(samples: Int16Array): boolean;
  /** Gives back what the detector holds (WASM memory). */
  close(): void;
}

/** Everything that tunes the edges (media.md §1): settings of the operator, overridden per agent. */
export interface VoiceSettings {
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
  aggressiveness: 2,
  startMs: 40,
  stopMs: 300,
  levelMinDbfs: -50,
};
