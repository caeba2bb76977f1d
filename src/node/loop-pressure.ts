/** One bad second is the machine's, or a collection of garbage; this many in a row are ours. */
const LATE_LOOKS = 3;
/** So few legs are never what makes a loop late: refusing them would help nobody. */
const LEGS_MIN = 50;
/** How the cap comes back after a late time: a tenth and a few more each good second. */
const RECOVERY_RATIO = 1.1;
const RECOVERY_LEGS = 5;

/**
 * The cap of a node, lowered live while its event loop is late: told how late it was, about once a second.
 */
export class LoopPressure {
  readonly #capLegsMax: number;
  readonly #delayP99MsMax: number;
  #capLegs: number;
  #p99Ms = 0;
  #lateLooks = 0;

  /**
   * Beyond `delayP99MsMax` audio is late already (cluster.md §2.11); 0 believes no delay.
   */
  constructor(capLegsMax: number, delayP99MsMax: number) {
    this.#delayP99MsMax = delayP99MsMax;
    this.#capLegsMax = capLegsMax;
    this.#capLegs = capLegsMax;
  }

  get p99Ms(): number {
    return this.#p99Ms;
  }

  get isLate(): boolean {
    return this.#lateLooks >= LATE_LOOKS;
  }

  /** How many legs may be here now. */
  get capLegs(): number {
    return this.#capLegs;
  }

  look(p99Ms: number, legs: number): void {
    this.#p99Ms = p99Ms;
    const isLate = this.#delayP99MsMax > 0 && p99Ms > this.#delayP99MsMax;
    this.#lateLooks = isLate ? this.#lateLooks + 1 : 0;
    if (this.isLate) this.#capLegs = Math.min(this.#capLegs, Math.max(LEGS_MIN, legs));
    else if (this.#lateLooks === 0) this.#capLegs = this.#recovered();
  }

  #recovered(): number {
    return Math.min(this.#capLegsMax, Math.ceil(this.#capLegs * RECOVERY_RATIO) + RECOVERY_LEGS);
  }
}
