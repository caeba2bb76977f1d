import type { Undelivered } from '../outbox.ts';

/** How many a payload names at most; the newest. */
export const NAMES_MAX = 20;
const RESOURCES_MAX = 2_000;

/** Events of one endpoint that later events of their resource have to name (contract.md §6, Ordering). */
export class UndeliveredNames {
  readonly #byResource = new Map<string, Undelivered[]>();
  readonly #stats: { forgottenNames: number };

  constructor(stats: { forgottenNames: number }) {
    this.#stats = stats;
  }

  add(event: Undelivered): void {
    const { resourceId, position } = event;
    const known = this.#byResource.get(resourceId) ?? [];
    const others = known.filter((other) => other.position !== position);
    const kept = [...others, event].sort((a, b) => a.position - b.position);
    this.#stats.forgottenNames += Math.max(0, kept.length - NAMES_MAX);
    // Entered anew, so that the first of the map is the one that changed longest ago.
    this.#byResource.delete(resourceId);
    this.#byResource.set(resourceId, kept.slice(-NAMES_MAX));
    if (this.#byResource.size <= RESOURCES_MAX) return;
    const [oldest = ''] = this.#byResource.keys();
    this.#byResource.delete(oldest);
    this.#stats.forgottenNames++;
  }

  /** Of the resources that `isOne` says: what another process has learnt of them since is in the outbox. */
  forgetAll(isOne: (resourceId: string) => boolean): void {
    for (const resourceId of this.#byResource.keys()) {
      if (isOne(resourceId)) this.#byResource.delete(resourceId);
    }
  }

  /** What an event at `position` has to name. */
  before(resourceId: string, position: number): readonly string[] {
    const known = this.#byResource.get(resourceId) ?? [];
    return known.filter((event) => event.position < position).map(({ eventId }) => eventId);
  }

  /**
   * Which positions an arrival settles: its own, and the dead ones that it named. What is aside is named
   * until it has arrived itself.
   */
  settledBy(resourceId: string, position: number, names: readonly string[]): readonly number[] {
    const known = this.#byResource.get(resourceId);
    if (known === undefined) return [];
    return known
      .filter((event) => event.position === position || (event.isDead && names.includes(event.eventId)))
      .map((event) => event.position);
  }

  forget(resourceId: string, positions: readonly number[]): void {
    const left = (this.#byResource.get(resourceId) ?? []).filter(
      ({ position }) => !positions.includes(position),
    );
    if (left.length === 0) this.#byResource.delete(resourceId);
    else this.#byResource.set(resourceId, left);
  }
}
