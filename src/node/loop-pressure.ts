/** One bad second is the machine's, or a collection of garbage; this many in a row are ours. */
const LATE_LOOKS = 3;
/** So few legs are never what makes a loop late: refusing them would help nobody. */
const LEGS_MIN = 50;
/** How the cap comes back after a bad time: a tenth and a few more each good second. */
const RECOVERY_RATIO = 1.1;
const RECOVERY_LEGS = 5;

/**
 * The cap of a node, lowered live while its event loop has too much to do: told how late it was, or how busy,
 * about once a second.
 */
export class LoopPressure {
  readonly #capLegsMax: number;
  readonly #readingMax: number;
  #capLegs: number;
  #reading = 0;
  #badLooks = 0;

  /** Beyond `readingMax` audio is late already, or soon will be (cluster.md §2.11); 0 believes no reading. */
  constructor(capLegsMax: number, readingMax: number) {
    this.#readingMax = readingMax;
    this.#capLegsMax = capLegsMax;
    this.#capLegs = capLegsMax;
  }

  /** The last one. */
  get reading(): number {
    return this.#reading;
  }

  get isBad(): boolean {
    return this.#badLooks >= LATE_LOOKS;
  }

  /** How many legs may be here now. */
  get capLegs(): number {
    return this.#capLegs;
  }

  look(reading: number, legs: number): void {
    this.#reading = reading;
    const isOver = this.#readingMax > 0 && reading > this.#readingMax;
    this.#badLooks = isOver ? this.#badLooks + 1 : 0;
    if (this.isBad) this.#capLegs = Math.min(this.#capLegs, Math.max(LEGS_MIN, legs));
    else if (this.#badLooks === 0) this.#capLegs = this.#recovered();
  }

  #recovered(): number {
    return Math.min(this.#capLegsMax, Math.ceil(this.#capLegs * RECOVERY_RATIO) + RECOVERY_LEGS);
  }
}
