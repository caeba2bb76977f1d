/** How many requests may be under way in the whole house. */
export interface InFlightLimits {
  /** Everybody's together, beyond what each endpoint has for itself. */
  readonly sharedMax: number;
  /** Those nobody can take from an endpoint, however many others hang. */
  readonly ownMax: number;
}

/** The limits of production: sixteen endpoints that hang with all they may have, and still room to share. */
export const IN_FLIGHT_LIMITS: InFlightLimits = { sharedMax: 512, ownMax: 4 };

/**
 * Requests under way over all endpoints. A few are each endpoint's own; the rest are shared, and what comes
 * free goes to the endpoint that has waited longest, one at a time: round robin.
 */
export class InFlightBudget {
  readonly #limits: InFlightLimits;
  readonly #stats: { inFlightWaits: number };
  // Whose turn is next, first come first served; who takes and wants more goes to the end.
  readonly #waiting = new Set<Seats>();
  #shared = 0;

  constructor(limits: InFlightLimits, stats: { inFlightWaits: number }) {
    this.#limits = limits;
    this.#stats = stats;
  }

  /** An endpoint's part of it; `wake` is called when there may be room again. */
  open(wake: () => void): Seats {
    return new Seats(this, wake);
  }

  /** One more for an endpoint that has `taken`; false when it has to wait, and will be woken. */
  take(seats: Seats, taken: number): boolean {
    const { sharedMax, ownMax } = this.#limits;
    if (taken < ownMax) return true;
    if (this.#shared < sharedMax) {
      this.#shared++;
      return true;
    }
    if (!this.#waiting.has(seats)) this.#stats.inFlightWaits++;
    this.#waiting.add(seats);
    return false;
  }

  /** One less for an endpoint that had `taken`. */
  giveBack(taken: number): void {
    if (taken <= this.#limits.ownMax) return;
    this.#shared--;
    for (const seats of this.#waiting) {
      if (this.#shared >= this.#limits.sharedMax) return;
      this.#waiting.delete(seats);
      seats.wake();
    }
  }
}

/** What one endpoint has taken of the budget. */
export class Seats {
  readonly #budget: InFlightBudget;
  readonly wake: () => void;
  #taken = 0;

  constructor(budget: InFlightBudget, wake: () => void) {
    this.#budget = budget;
    this.wake = wake;
  }

  take(): boolean {
    if (!this.#budget.take(this, this.#taken)) return false;
    this.#taken++;
    return true;
  }

  giveBack(): void {
    this.#budget.giveBack(this.#taken--);
  }
}
