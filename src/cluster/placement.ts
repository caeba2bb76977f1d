import { randomRatio, type AtMs, type Clock } from '../base/clock.ts';
import type { NodeRecord } from './node-record.ts';
import { BEAT_MS } from './timing.ts';

/** What is placed is not in the nodes' own figures before two beats are through. */
const UNTOLD_MS = 2 * BEAT_MS;

export interface PlacementOptions {
  readonly clock: Pick<Clock, 'nowMs' | 'randomBytes'>;
  /** The own region first, then its neighbours in their order. */
  readonly regions: readonly string[];
}

/** Where a new call goes: the less loaded of two random nodes, in the nearest region that has a fit one. */
export class Placement {
  readonly counts = { placed: 0, placedAbroad: 0, refused: 0 };
  readonly #options: PlacementOptions;
  // Oldest first; what two beats have told is taken away with the next call placed.
  #placed: { readonly incarnation: string; readonly atMs: AtMs }[] = [];

  constructor(options: PlacementOptions) {
    this.#options = options;
  }

  /** Undefined where no region has a fit node with room. */
  place(fit: readonly NodeRecord[]): NodeRecord | undefined {
    const { clock, regions } = this.#options;
    const nowMs = clock.nowMs();
    this.#placed = this.#placed.filter(({ atMs }) => nowMs - atMs < UNTOLD_MS);
    for (const region of regions) {
      const roomy = fit.filter((node) => node.region === region && this.#loadOf(node) < 1);
      const chosen = this.#bestOfTwo(roomy);
      if (chosen === undefined) continue;
      this.#placed.push({ incarnation: chosen.incarnation, atMs: nowMs });
      this.counts.placed++;
      if (region !== regions[0]) this.counts.placedAbroad++;
      return chosen;
    }
    this.counts.refused++;
    return undefined;
  }

  #bestOfTwo(nodes: readonly NodeRecord[]): NodeRecord | undefined {
    if (nodes.length < 2) return nodes[0];
    const first = this.#dice(nodes.length);
    const second = (first + 1 + this.#dice(nodes.length - 1)) % nodes.length;
    const [one, other] = [nodes[first], nodes[second]];
    if (one === undefined || other === undefined) return one;
    return this.#loadOf(other) < this.#loadOf(one) ? other : one;
  }

  /** Of its capacity: 1 is full. */
  #loadOf({ incarnation, legs, capLegs }: NodeRecord): number {
    const untold = this.#placed.filter((placed) => placed.incarnation === incarnation).length;
    return (legs + untold) / Math.max(1, capLegs);
  }

  #dice(count: number): number {
    return Math.floor(randomRatio(this.#options.clock) * count);
  }
}
