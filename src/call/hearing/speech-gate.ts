import type { AtMs } from '../../base/clock.ts';
import { frameSamples } from '../../base/units.ts';
import { PreRoll } from '../../media/voice/pre-roll.ts';
import { VOICE_DEFAULTS } from '../../media/voice-detector.ts';

/**
 * Lets only speech through to one listener, with what was said before the onset was confirmed (calls.md,
 * Pre-roll).
 */
export class SpeechGate {
  readonly #preRoll: PreRoll;
  readonly #frame: Int16Array;
  readonly #hear: (frame: Int16Array, nowMs: AtMs) => void;
  #isOpen = false;

  constructor(sampleRateHz: number, hear: (frame: Int16Array, nowMs: AtMs) => void) {
    this.#preRoll = new PreRoll(sampleRateHz, VOICE_DEFAULTS);
    this.#frame = new Int16Array(frameSamples(sampleRateHz));
    this.#hear = hear;
  }

  hear(frame: Int16Array, nowMs: AtMs): void {
    if (this.#isOpen) this.#hear(frame, nowMs);
    else this.#preRoll.hold(frame);
  }

  /** The speaker started or stopped. */
  onVoice(isSpeaking: boolean, nowMs: AtMs): void {
    if (isSpeaking && !this.#isOpen) {
      while (this.#preRoll.takeInto(this.#frame)) this.#hear(this.#frame, nowMs);
    }
    this.#isOpen = isSpeaking;
  }
}
