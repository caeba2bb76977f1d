import { invariant } from '../base/errors.ts';

/**
 * A histogram cheap enough for every frame: one short search over a few edges, no allocation. Edges are the
 * upper bounds of Prometheus' buckets, inclusive.
 */
export class Bins {
  readonly stats = { refusedValues: 0 };
  readonly edges: readonly number[];
  /** How many values fell into each bin; the last is for all beyond the last edge. */
  readonly counts: Float64Array;
  #sum = 0;

  constructor(edges: readonly number[]) {
    invariant(edges.length > 0, 'a histogram has edges');
    invariant(
      edges.every((edge, index) => index === 0 || edge > edges[index - 1]!),
      'edges of a histogram rise',
    );
    this.edges = edges;
    this.counts = new Float64Array(edges.length + 1);
  }

  /** Nothing was ever observed. */
  get isEmpty(): boolean {
    return this.counts.every((count) => count === 0);
  }

  get sum(): number {
    return this.#sum;
  }

  /** Counts a value in the unit of the edges. What is negative or no number was measured wrong: refused. */
  observe(value: number): void {
    if (!(value >= 0)) {
      this.stats.refusedValues++;
      return;
    }
    const { edges } = this;
    let low = 0;
    let high = edges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value <= edges[middle]!) high = middle;
      else low = middle + 1;
    }
    this.counts[low]!++;
    this.#sum += value;
  }

  /** The same for a duration in milliseconds, where the edges are seconds. */
  observeMs(durationMs: number): void {
    this.observe(durationMs / 1000);
  }
}
