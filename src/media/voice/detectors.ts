import { VoiceError } from '../../base/errors.ts';
import type { VoiceDetectors } from '../voice-detector.ts';
import { loadFvad } from './fvad-detector.ts';
import { loadNeural } from './neural-detector.ts';
import { OwnDetector } from './own/own-detector.ts';

/** What has to be loaded beside our own detector and the baseline. */
export interface DetectorOptions {
  /** Whether any leg may ask for a neural detector; then it is loaded at start, or the start fails. */
  readonly isNeuralNeeded?: boolean;
  readonly modelFile?: string | undefined;
}

/** Everyone who can hear a voice, ready to be opened by name. */
export async function loadDetectors(options: DetectorOptions = {}): Promise<VoiceDetectors> {
  const fvad = await loadFvad();
  const neural = options.isNeuralNeeded === true ? await loadNeural(options) : undefined;
  return {
    open: (sampleRateHz, { detector, aggressiveness }) => {
      if (detector === 'own') return new OwnDetector(sampleRateHz, aggressiveness);
      if (detector === 'fvad') return fvad.open(sampleRateHz, aggressiveness);
      if (neural !== undefined) return neural.open(sampleRateHz, aggressiveness);
      throw new VoiceError('failed_precondition', 'the neural voice detector was not loaded at start');
    },
  };
}
