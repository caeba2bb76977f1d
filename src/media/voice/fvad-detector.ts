import openFvad, { type FvadModule } from '@echogarden/fvad-wasm';
import { invariant, VoiceError } from '../../base/errors.ts';
import { msToSamples } from '../../base/units.ts';
import type { VoiceDetector } from '../voice-detector.ts';

const HOP_MS = 10;
const HOP_SAMPLES_MAX = msToSamples(HOP_MS, 48_000);
const BYTES_PER_SAMPLE = 2;

/** Makes baseline detectors: the WebRTC one, in WASM. */
export interface FvadFactory {
  /** 8, 16, 32 or 48 kHz; aggressiveness 0 (permissive) to 3 (strict). Throws for anything else. */
  open(sampleRateHz: number, aggressiveness: number): VoiceDetector;
}

let loading: Promise<FvadFactory> | undefined;

/** Loads the WASM module, once per process: its detectors share one memory. */
export function loadFvad(): Promise<FvadFactory> {
  loading ??= openFvad().then(factoryOver);
  return loading;
}

function factoryOver(fvad: FvadModule): FvadFactory {
  // One hop buffer for all: filling it and judging it is one synchronous step.
  const hopAddress = fvad._malloc(HOP_SAMPLES_MAX * BYTES_PER_SAMPLE);
  if (hopAddress === 0) throw new VoiceError('internal', 'no memory for the voice detector');
  return {
    open: (sampleRateHz, aggressiveness) => {
      const detector = fvad._fvad_new();
      if (detector === 0) throw new VoiceError('overloaded', 'no memory for one more voice detector');
      const isTaken =
        fvad._fvad_set_mode(detector, aggressiveness) === 0 &&
        fvad._fvad_set_sample_rate(detector, sampleRateHz) === 0;
      if (isTaken) return new FvadDetector(fvad, detector, hopAddress, msToSamples(HOP_MS, sampleRateHz));
      fvad._fvad_free(detector);
      const wanted = `${sampleRateHz} Hz at aggressiveness ${aggressiveness}`;
      throw new VoiceError('invalid_argument', `no voice detector for ${wanted}`);
    },
  };
}

class FvadDetector implements VoiceDetector {
  readonly hopSamples: number;
  readonly #fvad: FvadModule;
  readonly #hopAddress: number;
  /** 0 once closed. */
  #detector: number;

  constructor(fvad: FvadModule, detector: number, hopAddress: number, hopSamples: number) {
    this.#fvad = fvad;
    this.#detector = detector;
    this.#hopAddress = hopAddress;
    this.hopSamples = hopSamples;
  }

  isVoice(samples: Int16Array): boolean {
    invariant(this.#detector !== 0, 'a closed voice detector was asked');
    invariant(samples.length === this.hopSamples, 'a voice detector hears whole hops');
    // HEAP16 is looked up each time: it is a new view after the memory has grown, the old one is detached.
    this.#fvad.HEAP16.set(samples, this.#hopAddress / BYTES_PER_SAMPLE);
    return this.#fvad._fvad_process(this.#detector, this.#hopAddress, this.hopSamples) === 1;
  }

  close(): void {
    if (this.#detector === 0) return;
    this.#fvad._fvad_free(this.#detector);
    this.#detector = 0;
  }
}
