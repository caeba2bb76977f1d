import type { Refusal } from '../../base/errors.ts';
import type { FrameSource } from './frame-source.ts';

/** A whole sound in memory, shared by everybody who plays it. */
export interface Sound {
  readonly sampleRateHz: number;
  readonly samples: Int16Array;
}

/** Where sounds come from: files and URLs, guarded and bounded by whoever opens them. */
export interface Sounds {
  open(url: string, sampleRateHz: number): Promise<Sound | Refusal>;
}

/** Plays a sound from its beginning, once or over and over. */
export class SoundReader implements FrameSource {
  readonly #samples: Int16Array;
  readonly #isLoop: boolean;
  #at = 0;

  constructor({ samples }: Sound, isLoop: boolean) {
    this.#samples = samples;
    this.#isLoop = isLoop && samples.length > 0;
  }

  nextInto(frame: Int16Array): boolean {
    const samples = this.#samples;
    if (this.#at >= samples.length && !this.#isLoop) return false;
    for (let i = 0; i < frame.length; i++) {
      if (this.#at >= samples.length && this.#isLoop) this.#at = 0;
      frame[i] = this.#at < samples.length ? samples[this.#at]! : 0;
      this.#at++;
    }
    return true;
  }
}
