// Buckets of a 128th of an octave: a quantile is within 0.8 % of the truth, in 12 KiB however long the call.
const STEPS_PER_OCTAVE = 128;
const STEP_BITS = 7;
const BUCKETS = 25 * STEPS_PER_OCTAVE;
const MICROSECONDS_MAX = 0x7fff_ffff;
/** So few are kept as they are: nobody wants to read that 7 ms were 6.99. */
const EXACT_MAX = 512;

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
  /** The durations themselves, until they are too many. */
  #few: number[] = [];
  #buckets: Uint32Array | undefined;
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
    const countedMs = Math.max(0, durationMs);
    this.#count++;
    if (countedMs > this.#maxMs) this.#maxMs = countedMs;
    if (this.#buckets === undefined && this.#few.length < EXACT_MAX) this.#few.push(countedMs);
    else this.#intoBuckets()[bucketOf(countedMs)]!++;
  }

  merge(other: Distribution): void {
    for (const durationMs of other.#few) this.add(durationMs);
    if (other.#buckets === undefined) return;
    const buckets = this.#intoBuckets();
    for (let i = 0; i < BUCKETS; i++) buckets[i]! += other.#buckets[i]!;
    this.#count += other.#count;
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  /** The duration that `ratio` of all do not exceed; 0 where there are none. */
  quantileMs(ratio: number): number {
    const rank = Math.max(1, Math.ceil(ratio * this.#count));
    if (this.#buckets === undefined) return this.#few.toSorted((a, b) => a - b)[rank - 1] ?? 0;
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#buckets[bucket]!;
      if (seen >= rank) return Math.min(middleMsOf(bucket), this.#maxMs);
    }
    return this.#maxMs;
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

  #intoBuckets(): Uint32Array {
    if (this.#buckets !== undefined) return this.#buckets;
    this.#buckets = new Uint32Array(BUCKETS);
    for (const durationMs of this.#few) this.#buckets[bucketOf(durationMs)]!++;
    this.#few = [];
    return this.#buckets;
  }
}

/** As reports show milliseconds. */
export function toHundredths(durationMs: number): number {
  return Math.round(durationMs * 100) / 100;
}

function bucketOf(durationMs: number): number {
  const microseconds = Math.min(MICROSECONDS_MAX, Math.round(durationMs * 1000));
  if (microseconds < STEPS_PER_OCTAVE) return microseconds;
  const octave = 31 - Math.clz32(microseconds) - STEP_BITS;
  return (octave + 1) * STEPS_PER_OCTAVE + (microseconds >> octave) - STEPS_PER_OCTAVE;
}

function middleMsOf(bucket: number): number {
  if (bucket < STEPS_PER_OCTAVE) return bucket / 1000;
  const octave = Math.floor(bucket / STEPS_PER_OCTAVE) - 1;
  const lowest = (STEPS_PER_OCTAVE + (bucket % STEPS_PER_OCTAVE)) * 2 ** octave;
  return (lowest + 2 ** octave / 2) / 1000;
}
