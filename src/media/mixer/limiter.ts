const SAMPLE_MAX = 32_767;
const SAMPLE_MIN = -32_768;
/** A frame that is too loud is turned down within 5 ms (of 20), ... */
const ATTACK_SHARE = 0.25;
// ... and let up by 0.6 dB a frame: 6 dB in 200 ms, slower than syllables, so that it is not heard to pump.
const RELEASE_RATIO = 1.07;

/**
 * Turns a sum down where it would not fit 16 bits, smoothly and a whole frame at a time; what fits passes bit
 * for bit. Only what is too loud in the 5 ms while it is turned down is cut off.
 */
export class Limiter {
  readonly stats = {
    /** Frames that were turned down. */
    limitedFrames: 0,
    /** Samples cut off while the limiter was still falling. */
    saturatedSamples: 0,
  };
  /**
   * The gain at the end of the last frame, and at the end of this one. In an array and not handed to
   * functions: a broken number would be put on the heap, frame after frame.
   */
  readonly #gains = Float64Array.of(1, 1);

  /** Writes `sum` to `target`, as loud as fits. */
  limitInto(sum: Float32Array, target: Int16Array): void {
    this.#aim(sum);
    if (this.#gains[0] === 1 && this.#gains[1] === 1) {
      for (let i = 0; i < target.length; i++) target[i] = Math.round(sum[i]!);
      return;
    }
    this.stats.limitedFrames++;
    this.#turnDown(sum, target);
    this.#gains[0] = this.#gains[1]!;
  }

  /** Forgets how loud it was. */
  reset(): void {
    this.#gains.fill(1);
  }

  /** The gain at which every sample fits; upwards no faster than it is let up. */
  #aim(sum: Float32Array): void {
    // Broken from the start: a variable that begins as a whole number is boxed when it becomes a broken one.
    let highest = 0.5;
    let lowest = -0.5;
    for (let i = 0; i < sum.length; i++) {
      const value = sum[i]!;
      if (value > highest) highest = value;
      else if (value < lowest) lowest = value;
    }
    const fitting = Math.min(SAMPLE_MAX / highest, SAMPLE_MIN / lowest);
    this.#gains[1] = Math.min(1, fitting, this.#gains[0]! * RELEASE_RATIO);
  }

  #turnDown(sum: Float32Array, target: Int16Array): void {
    const from = this.#gains[0]!;
    const to = this.#gains[1]!;
    const ramp = to < from ? ATTACK_SHARE * target.length : target.length;
    for (let i = 0; i < target.length; i++) {
      const gain = i < ramp ? from + ((to - from) * (i + 1)) / ramp : to;
      const sample = Math.round(gain * sum[i]!);
      if (sample > SAMPLE_MAX || sample < SAMPLE_MIN) this.stats.saturatedSamples++;
      target[i] = Math.max(SAMPLE_MIN, Math.min(SAMPLE_MAX, sample));
    }
  }
}
