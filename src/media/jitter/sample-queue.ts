/** What is ready to be played and not yet a whole frame: samples in, frames out. */
export class SampleQueue {
  readonly #samples: Int16Array;
  readonly #head: Int16Array;
  #length = 0;

  constructor(samplesMax: number, frameSamples: number) {
    this.#samples = new Int16Array(samplesMax);
    this.#head = this.#samples.subarray(0, frameSamples);
  }

  get length(): number {
    return this.#length;
  }

  /** Appends `source[from..to)`. */
  push(source: Int16Array, from: number, to: number): void {
    let at = this.#length;
    for (let i = from; i < to; i++) this.#samples[at++] = source[i]!;
    this.#length = at;
  }

  /** Takes one frame, which must be there. */
  shiftInto(target: Int16Array): void {
    target.set(this.#head);
    this.#samples.copyWithin(0, target.length, this.#length);
    this.#length -= target.length;
  }

  /** Fades from what is left, however little, into `frame`, whose end stays: both become the one frame. */
  foldInto(frame: Int16Array): void {
    const rest = this.#length;
    const samples = frame.length;
    for (let i = rest; i < samples; i++) this.#samples[i] = frame[i - rest]!;
    for (let i = 0; i < samples; i++) {
      const share = (i + 1) / samples;
      frame[i] = Math.round((1 - share) * this.#samples[i]! + share * frame[i]!);
    }
    this.#length = 0;
  }

  clear(): void {
    this.#length = 0;
  }
}
