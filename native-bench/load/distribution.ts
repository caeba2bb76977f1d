/** What many measurements come down to. Exact: nothing is binned. */
export interface Distribution {
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
}

/** A minute of 300 calls: growing would be a pause of milliseconds, and measured as one. */
const SAMPLES_AT_FIRST = 2 ** 20;

/** Numbers as they are measured: a push is nearly always a store. */
export class Samples {
  #values = new Float64Array(SAMPLES_AT_FIRST);
  #count = 0;

  push(value: number): void {
    if (this.#count === this.#values.length) {
      const grown = new Float64Array(2 * this.#count);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#count++] = value;
  }

  distribution(): Distribution {
    return distributionOf(this.#values.subarray(0, this.#count));
  }
}

export function distributionOf(values: ArrayLike<number>): Distribution {
  const sorted = Float64Array.from(values).sort();
  // The smallest value that so many are not above (nearest rank): a figure that was really measured.
  const at = (ratio: number): number | null =>
    sorted.length === 0 ? null : sorted[Math.max(0, Math.ceil(ratio * sorted.length) - 1)]!;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), p999: at(0.999), max: at(1) };
}
