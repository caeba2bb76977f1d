/** A floor is the least of the last 8 spans of 250 ms: longer than a word, shorter than a change of noise. */
const SPANS = 8;
const SPAN_HOPS = 25;
/** One hop of noise strays far; the floor is that of its short mean. */
const SMOOTHING = 0.3;

/** The noise under a stream, band by band: the minimum of the smoothed levels of the last two seconds. */
export class NoiseFloor {
  readonly floors: Float32Array;
  readonly #smoothed: Float32Array;
  /** Minimum of each span of the window, span after span. */
  readonly #minima: Float32Array;
  #span = 0;
  #hop = 0;
  #isFresh = true;

  constructor(bands: number) {
    this.floors = new Float32Array(bands);
    this.#smoothed = new Float32Array(bands);
    this.#minima = new Float32Array(bands * SPANS).fill(Infinity);
  }

  hear(levels: Float32Array): void {
    const { floors } = this;
    const smoothed = this.#smoothed;
    if (this.#isFresh) this.#begin(levels);
    const first = this.#span * floors.length;
    for (let b = 0; b < floors.length; b++) {
      const level = smoothed[b]! + SMOOTHING * (levels[b]! - smoothed[b]!);
      smoothed[b] = level;
      if (level < this.#minima[first + b]!) this.#minima[first + b] = level;
      if (level < floors[b]!) floors[b] = level;
    }
    if (++this.#hop === SPAN_HOPS) this.#turnOver();
  }

  #begin(levels: Float32Array): void {
    this.#isFresh = false;
    this.#smoothed.set(levels);
    this.floors.set(levels);
  }

  /** The oldest span falls out, and with it the floor may rise. */
  #turnOver(): void {
    const { floors } = this;
    const minima = this.#minima;
    this.#hop = 0;
    this.#span = (this.#span + 1) % SPANS;
    const first = this.#span * floors.length;
    for (let b = 0; b < floors.length; b++) {
      minima[first + b] = Infinity;
      let least = Infinity;
      for (let at = b; at < minima.length; at += floors.length) if (minima[at]! < least) least = minima[at]!;
      floors[b] = least;
    }
  }
}
