/** Calls and deliveries that are remembered; the oldest go first. */
const CALLS_MAX = 10_000;
const IDS_MAX = 50_000;

/** How a delivery fits those before it. */
export interface Fit {
  /** How often this event has come, this time included. */
  readonly attempt: number;
  /** It was accepted before. */
  readonly isDuplicate: boolean;
  /** A later event of its call was accepted before it. */
  readonly isLate: boolean;
  /** So many events of its call have been jumped over. */
  readonly missing: number;
}

/** Whether what is delivered comes once and in order; it counts what does not. */
export class OrderWatch {
  readonly stats = { deliveries: 0, events: 0, duplicates: 0, late: 0, missing: 0 };
  readonly #countsGaps: boolean;
  readonly #attempts = new Map<string, number>();
  readonly #accepted = new Set<string>();
  readonly #highest = new Map<string, number>();

  /** Where only some types are delivered, a gap in the numbers means nothing. */
  constructor(countsGaps: boolean) {
    this.#countsGaps = countsGaps;
  }

  /** Looks at one delivery; only an accepted one counts for what comes after it. */
  look(event: { id: string; resourceId: string; sequence: number }, isAccepted: boolean): Fit {
    const { id, resourceId, sequence } = event;
    const attempt = (this.#attempts.get(id) ?? 0) + 1;
    remember(this.#attempts, id, attempt, IDS_MAX);
    this.stats.deliveries++;
    const isDuplicate = this.#accepted.has(id);
    if (isDuplicate) this.stats.duplicates++;
    const highest = this.#highest.get(resourceId);
    const isLate = !isDuplicate && highest !== undefined && sequence < highest;
    // What came before the first one seen was before our time.
    const step = highest === undefined || isDuplicate ? 1 : sequence - highest;
    const missing = this.#countsGaps && step > 1 ? step - 1 : 0;
    if (isAccepted && !isDuplicate) this.#accept(event, { isLate, missing, highest });
    return { attempt, isDuplicate, isLate, missing };
  }

  #accept(
    { id, resourceId, sequence }: { id: string; resourceId: string; sequence: number },
    { isLate, missing, highest }: { isLate: boolean; missing: number; highest: number | undefined },
  ): void {
    this.stats.events++;
    this.stats.missing += missing;
    if (isLate) {
      this.stats.late++;
      // It had been missed when its successor came.
      if (this.#countsGaps) this.stats.missing--;
    }
    this.#accepted.add(id);
    if (this.#accepted.size > IDS_MAX) this.#accepted.delete(firstOf(this.#accepted));
    remember(this.#highest, resourceId, Math.max(sequence, highest ?? 0), CALLS_MAX);
  }
}

function remember<V>(map: Map<string, V>, key: string, value: V, max: number): void {
  // Taken out and put in again, it is the youngest.
  map.delete(key);
  map.set(key, value);
  if (map.size > max) map.delete(firstOf(map.keys()));
}

function firstOf(keys: Iterable<string>): string {
  for (const key of keys) return key;
  return '';
}
