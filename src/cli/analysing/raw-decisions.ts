import { FRAME_MS } from '../../base/units.ts';
import type { VoiceDetector } from '../../media/voice-detector.ts';

const HOPS_PER_FRAME = 2;
const NO = 48;
const YES = 49;

/**
 * A detector whose every opinion is written down before any confirmation: one digit for 20 ms, 1 where either
 * half of them is a voice. Frames that never came are 0.
 */
export class RawDecisions implements VoiceDetector {
  readonly hopSamples: number;
  readonly #detector: VoiceDetector;
  #digits = new Uint8Array(3000).fill(NO);
  #hops = 0;

  constructor(detector: VoiceDetector) {
    this.#detector = detector;
    this.hopSamples = detector.hopSamples;
  }

  get leadHops(): number {
    return this.#detector.leadHops ?? 0;
  }

  isVoice(samples: Int16Array): boolean {
    const isVoice = this.#detector.isVoice(samples);
    const frame = Math.floor(this.#hops++ / HOPS_PER_FRAME);
    if (frame >= this.#digits.length) this.#grow();
    if (isVoice) this.#digits[frame] = YES;
    return isVoice;
  }

  /** The next frame is the one at `mediaMs`: what was before it and never came is passed over. */
  goTo(mediaMs: number): void {
    this.#hops = Math.max(this.#hops, HOPS_PER_FRAME * Math.round(mediaMs / FRAME_MS));
    while (this.#hops / HOPS_PER_FRAME >= this.#digits.length) this.#grow();
  }

  get digits(): string {
    const frames = Math.ceil(this.#hops / HOPS_PER_FRAME);
    return Buffer.from(this.#digits.subarray(0, frames)).toString('latin1');
  }

  close(): void {
    this.#detector.close();
  }

  #grow(): void {
    const grown = new Uint8Array(2 * this.#digits.length).fill(NO);
    grown.set(this.#digits);
    this.#digits = grown;
  }
}
