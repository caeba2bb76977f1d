import type { FrameSource } from './frame-source.ts';

// A quiet arpeggio over four chords (C, a, F, G): made here, so it is nobody's property.
const NOTE_MS = 400;
const NOTES_HZ = [
  261.63, 329.63, 392.0, 523.25, 440.0, 329.63, 261.63, 329.63, 220.0, 261.63, 349.23, 440.0, 392.0, 293.66,
  246.94, 293.66,
] as const;
const VOICES = 3;
const LEVEL = 2600;
/** A string that is plucked falls to a third in about this time. */
const DECAY_MS = 500;

/**
 * Music on hold, made as it is heard: plucked strings, each a resonator of two products a sample
 * (y = 2·r·cos ω · y′ − r²·y″). Level and pitch stay where telephone lines carry them well.
 */
export class HoldMusic implements FrameSource {
  readonly #sampleRateHz: number;
  readonly #noteSamples: number;
  readonly #decay: number;
  readonly #feedback = new Float64Array(VOICES);
  readonly #last = new Float64Array(VOICES);
  readonly #before = new Float64Array(VOICES);
  #at = 0;
  #note = 0;

  constructor(sampleRateHz: number) {
    this.#sampleRateHz = sampleRateHz;
    this.#noteSamples = Math.round((NOTE_MS * sampleRateHz) / 1000);
    this.#decay = Math.exp(-1000 / (DECAY_MS * sampleRateHz));
  }

  nextInto(frame: Int16Array): boolean {
    for (let i = 0; i < frame.length; i++) {
      if (this.#at++ % this.#noteSamples === 0) this.#pluck();
      frame[i] = this.#nextSample();
    }
    return true;
  }

  #pluck(): void {
    const voice = this.#note % VOICES;
    const radians = (2 * Math.PI * NOTES_HZ[this.#note++ % NOTES_HZ.length]!) / this.#sampleRateHz;
    this.#feedback[voice] = 2 * this.#decay * Math.cos(radians);
    // A sine that begins at zero: no click, and what the string still did before is let go where it is small.
    this.#last[voice] = 0;
    this.#before[voice] = -LEVEL * Math.sin(radians);
  }

  #nextSample(): number {
    const damping = this.#decay * this.#decay;
    let sum = 0;
    for (let voice = 0; voice < VOICES; voice++) {
      const last = this.#last[voice]!;
      const sample = this.#feedback[voice]! * last - damping * this.#before[voice]!;
      this.#before[voice] = last;
      this.#last[voice] = sample;
      sum += sample;
    }
    return Math.round(sum);
  }
}
