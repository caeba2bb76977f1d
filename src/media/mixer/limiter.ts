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
  /** One number, out of the object's own fields so that it is never boxed: the gain at the last frame's end. */
  readonly #gain = Float64Array.of(1);

  /** Writes `sum` to `target`, as loud as fits. */
  limitInto(sum: Float32Array, target: Int16Array): void {
    const from = this.#gain[0]!;
    const to = Math.min(gainFor(sum), 1, from * RELEASE_RATIO);
    if (from === 1 && to === 1) {
      for (let i = 0; i < target.length; i++) target[i] = Math.round(sum[i]!);
      return;
    }
    this.stats.limitedFrames++;
    this.#gain[0] = to;
    const ramp = to < from ? ATTACK_SHARE * target.length : target.length;
    for (let i = 0; i < target.length; i++) {
      const gain = i < ramp ? from + ((to - from) * (i + 1)) / ramp : to;
      this.#write(gain * sum[i]!, target, i);
    }
  }

  /** Forgets how loud it was. */
  reset(): void {
    this.#gain[0] = 1;
  }

  #write(exact: number, target: Int16Array, at: number): void {
    const sample = Math.round(exact);
    if (sample > SAMPLE_MAX || sample < SAMPLE_MIN) this.stats.saturatedSamples++;
    target[at] = Math.max(SAMPLE_MIN, Math.min(SAMPLE_MAX, sample));
  }
}

/** The gain at which every sample fits; above 1 where there is room. */
function gainFor(sum: Float32Array): number {
  let [highest, lowest] = [1, -1];
  for (let i = 0; i < sum.length; i++) {
    const value = sum[i]!;
    if (value > highest) highest = value;
    else if (value < lowest) lowest = value;
  }
  return Math.min(SAMPLE_MAX / highest, SAMPLE_MIN / lowest);
}
