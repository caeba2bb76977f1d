import type { VoiceDetector } from '../../src/media/voice-detector.ts';

/** Whoever is loud speaks: a detector whose opinion a reader of a story can foresee. */
export const loudDetectors = {
  open(sampleRateHz: number): VoiceDetector {
    return {
      hopSamples: sampleRateHz / 100,
      isVoice: (samples) => samples.some((sample) => Math.abs(sample) > 1000),
      close: () => {},
    };
  },
};
