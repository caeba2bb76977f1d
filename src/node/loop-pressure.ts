/** Beyond this delay of the event loop audio is late already (cluster.md §2.11). */
const DELAY_P99_MS_MAX = 30;
/** One bad second is the machine's, or a collection of garbage; this many in a row are ours. */
const LATE_LOOKS = 3;

/** Whether the event loop is late for good: told how late it was, about once a second. */
export class LoopPressure {
  #p99Ms = 0;
  #lateLooks = 0;

  get p99Ms(): number {
    return this.#p99Ms;
  }

  get isLate(): boolean {
    return this.#lateLooks >= LATE_LOOKS;
  }

  /** One good second ends it. */
  look(p99Ms: number): void {
    this.#p99Ms = p99Ms;
    this.#lateLooks = p99Ms > DELAY_P99_MS_MAX ? this.#lateLooks + 1 : 0;
  }
}
