// Buckets of a 128th of an octave: a quantile is within 0.8 % of the truth, in 12 KiB however long the call.
const STEPS_PER_OCTAVE = 128;
const STEP_BITS = 7;
const BUCKETS = 25 * STEPS_PER_OCTAVE;
const MICROSECONDS_MAX = 0x7fff_ffff;
/** So few are kept as they are: nobody wants to read that 7 ms were 6.99. */
const EXACT_MAX = 256;

/** What a report says of many durations, in milliseconds to a hundredth. */
export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Many durations in little room: exact while they are few, then quantiles to 0.8 %. */
export class Distribution {
  readonly #counts = new Uint32Array(BUCKETS);
  readonly #few: number[] = [];
  #count = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  /** A negative duration, as between two clocks that disagree, counts as none. */
  add(durationMs: number): void {
    const microseconds = Math.min(MICROSECONDS_MAX, Math.max(0, Math.round(durationMs * 1000)));
    this.#counts[bucketOf(microseconds)]!++;
    this.#count++;
    if (this.#few.length < EXACT_MAX) this.#few.push(Math.max(0, durationMs));
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
  }

  merge(other: Distribution): void {
    for (let i = 0; i < BUCKETS; i++) this.#counts[i]! += other.#counts[i]!;
    this.#count += other.#count;
    // A list that is not whole is not looked at.
    this.#few.push(...other.#few.slice(0, EXACT_MAX - this.#few.length));
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  /** The duration that `ratio` of all do not exceed; 0 where there are none. */
  quantileMs(ratio: number): number {
    const rank = Math.max(1, Math.ceil(ratio * this.#count));
    if (this.#few.length === this.#count) return this.#few.toSorted((a, b) => a - b)[rank - 1] ?? 0;
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket]!;
      if (seen >= rank) return Math.min(middleOf(bucket) / 1000, this.#maxMs);
    }
    return 0;
  }

  /** Null where nothing was measured. */
  spread(): Spread | null {
    if (this.#count === 0) return null;
    return {
      count: this.#count,
      p50: toHundredths(this.quantileMs(0.5)),
      p95: toHundredths(this.quantileMs(0.95)),
      p99: toHundredths(this.quantileMs(0.99)),
      p999: toHundredths(this.quantileMs(0.999)),
      max: toHundredths(this.#maxMs),
    };
  }
}

/** As reports show milliseconds. */
export function toHundredths(durationMs: number): number {
  return Math.round(durationMs * 100) / 100;
}

function bucketOf(microseconds: number): number {
  if (microseconds < STEPS_PER_OCTAVE) return microseconds;
  const octave = 31 - Math.clz32(microseconds) - STEP_BITS;
  return (octave + 1) * STEPS_PER_OCTAVE + (microseconds >> octave) - STEPS_PER_OCTAVE;
}

function middleOf(bucket: number): number {
  if (bucket < STEPS_PER_OCTAVE) return bucket;
  const octave = Math.floor(bucket / STEPS_PER_OCTAVE) - 1;
  const lowest = (STEPS_PER_OCTAVE + (bucket % STEPS_PER_OCTAVE)) * 2 ** octave;
  return lowest + 2 ** octave / 2;
}
