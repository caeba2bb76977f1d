const BIN_MS = 2;
/** Later than this is later than any target could cover: it all counts alike. */
const DELAY_MS_MAX = 400;
const BINS = DELAY_MS_MAX / BIN_MS;
/**
 * What was learned first weighs least for long: the first delays are a sample of nothing (NetEQ does so
 * too).
 */
const START_WEIGHT = 2;
const TOTAL_MAX = 1e9;

export interface DelayHistogramOptions {
  /** The share of delays that the answer covers. */
  readonly quantileRatio: number;
  /** What the past keeps of its weight with every new delay. */
  readonly forgetRatio: number;
}

/**
 * How late frames are, by share, with what is long ago forgotten. Instead of every old delay weighing less,
 * each new one weighs more, so that a delay costs the same however many there are.
 */
export class DelayHistogram {
  readonly #weights = new Float64Array(BINS);
  readonly #quantileRatio: number;
  readonly #forgetRatio: number;
  #total = 0;
  #count = 0;
  #lastBin = 0;
  #lastWeight = 0;
  /** The bin where the quantile lies, and the weight of all bins below it. */
  #bin = 0;
  #below = 0;

  constructor({ quantileRatio, forgetRatio }: DelayHistogramOptions) {
    this.#quantileRatio = quantileRatio;
    this.#forgetRatio = forgetRatio;
  }

  /** Delays within one bin of nothing are the timers', not the network's. */
  get quantileMs(): number {
    return this.#bin === 0 ? 0 : (this.#bin + 1) * BIN_MS;
  }

  add(delayMs: number): void {
    const keptRatio = Math.min(this.#forgetRatio, 1 - START_WEIGHT / (this.#count + START_WEIGHT));
    this.#count++;
    if (keptRatio === 0) this.#clear();
    this.#lastWeight = keptRatio === 0 ? 1 : (this.#total * (1 - keptRatio)) / keptRatio;
    this.#lastBin = binOf(delayMs);
    this.#weigh(this.#lastBin, this.#lastWeight);
    this.#total += this.#lastWeight;
    if (this.#total > TOTAL_MAX) this.#rescale();
    this.#settle();
  }

  /** The delay added last turns out to be another. */
  reviseLast(delayMs: number): void {
    const bin = binOf(delayMs);
    if (bin === this.#lastBin) return;
    this.#weigh(this.#lastBin, -this.#lastWeight);
    this.#weigh(bin, this.#lastWeight);
    this.#lastBin = bin;
    this.#settle();
  }

  #weigh(bin: number, weight: number): void {
    this.#weights[bin]! += weight;
    if (bin < this.#bin) this.#below += weight;
  }

  /** Moves to where the quantile lies now: a bin or two away, as a rule. */
  #settle(): void {
    const wanted = this.#quantileRatio * this.#total;
    while (this.#bin > 0 && this.#below >= wanted) this.#below -= this.#weights[--this.#bin]!;
    while (this.#bin < BINS - 1 && this.#below + this.#weights[this.#bin]! < wanted) {
      this.#below += this.#weights[this.#bin++]!;
    }
  }

  #rescale(): void {
    this.#total = 0;
    for (let bin = 0; bin < BINS; bin++) this.#total += this.#weights[bin]! /= TOTAL_MAX;
    this.#lastWeight /= TOTAL_MAX;
    // Summed anew: the rounding errors of a hundred thousand sums end here.
    this.#below = 0;
    for (let bin = 0; bin < this.#bin; bin++) this.#below += this.#weights[bin]!;
  }

  #clear(): void {
    this.#weights.fill(0);
    this.#total = 0;
    this.#below = 0;
  }
}

function binOf(delayMs: number): number {
  return Math.min(BINS - 1, Math.max(0, Math.floor(delayMs / BIN_MS)));
}
