/** So many questions without an answer, one after the other, and no more are asked. */
const FAILURES_MAX = 2;

/** Spares callers the wait for a registry that does not answer. Beats go through it always, and close it. */
export class Circuit {
  #failures = 0;

  get isOpen(): boolean {
    return this.#failures >= FAILURES_MAX;
  }

  worked(): void {
    this.#failures = 0;
  }

  failed(): void {
    this.#failures++;
  }
}
