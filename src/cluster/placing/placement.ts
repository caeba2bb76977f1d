import { randomRatio, type AtMs, type Clock } from '../../base/clock.ts';
import type { NodeRecord } from '../node-record.ts';
import { BEAT_MS } from '../timing.ts';

/** What is placed is not in the nodes' own figures before two beats are through. */
const UNTOLD_MS = 2 * BEAT_MS;
/** So much placed in that time is remembered; beyond it the oldest counts as told. */
const UNTOLD_MAX = 10_000;

/** Somebody a call can be placed on. */
export type Place = Pick<NodeRecord, 'incarnation' | 'region' | 'host' | 'mediaUrl' | 'legs' | 'capLegs'>;

export interface PlacementOptions {
  readonly clock: Pick<Clock, 'nowMs' | 'randomBytes'>;
  /** The own region first, then its neighbours in their order. */
  readonly regions: readonly string[];
}

/** How many of a list are of the call's own region, and how many of others. */
export interface ListWish {
  readonly nearMax: number;
  readonly abroadMax: number;
  readonly regions?: readonly string[];
}

/** Where a new call goes: the less loaded of two random nodes, in the nearest region that has a fit one. */
export class Placement {
  readonly counts = { placed: 0, placedAbroad: 0, refused: 0 };
  readonly #options: PlacementOptions;
  // Oldest first; what two beats have told is taken away with the next call placed.
  #placed: { readonly incarnation: string; readonly atMs: AtMs }[] = [];
  /** Those of `#placed`, by node. */
  readonly #untold = new Map<string, number>();

  constructor(options: PlacementOptions) {
    this.#options = options;
  }

  /** Undefined where no region has a fit node with room. */
  place<P extends Place>(fit: readonly P[], regions = this.#options.regions): P | undefined {
    const nowMs = this.#options.clock.nowMs();
    this.#forgetTold(nowMs);
    const chosen = this.#choose(fit, regions);
    if (chosen === undefined) {
      this.counts.refused++;
      return undefined;
    }
    this.#remember(chosen.incarnation, nowMs);
    this.counts.placed++;
    if (chosen.region !== regions[0]) this.counts.placedAbroad++;
    return chosen;
  }

  /**
   * Different ones for a caller that goes on to the next where one does not answer: the place of the call,
   * then others of that region, which can have the call, other hosts before its own; last those of other
   * regions, since a region can be lost as a whole. Empty where nobody has room.
   */
  placeList<P extends Place>(fit: readonly P[], wish: ListWish): readonly P[] {
    const { nearMax, abroadMax, regions = this.#options.regions } = wish;
    const first = this.place(fit, regions);
    if (first === undefined) return [];
    const near = fit.filter(({ region, incarnation }) => {
      return region === first.region && incarnation !== first.incarnation;
    });
    const isBesides = ({ host }: P): boolean => host === first.host;
    const nearest = [near.filter((one) => !isBesides(one)), near.filter(isBesides)];
    const abroad = regions.filter((region) => region !== first.region);
    return [
      first,
      ...nearest.flatMap((nodes) => this.#byLoad(nodes)).slice(0, nearMax - 1),
      ...abroad
        .flatMap((name) => this.#byLoad(fit.filter(({ region }) => region === name)).slice(0, 1))
        .slice(0, abroadMax),
    ];
  }

  #choose<P extends Place>(fit: readonly P[], regions: readonly string[]): P | undefined {
    for (const name of regions) {
      const roomy = fit.filter((node) => node.region === name && this.#loadOf(node) < 1);
      const chosen = this.#bestOfTwo(roomy);
      if (chosen !== undefined) return chosen;
    }
    // What was placed may be told already, or come to nothing: only who says itself that it is full is.
    for (const name of regions) {
      const roomy = fit.filter(({ region, legs, capLegs }) => region === name && legs < capLegs);
      const [least] = this.#byLoad(roomy);
      if (least !== undefined) return least;
    }
    return undefined;
  }

  #bestOfTwo<P extends Place>(nodes: readonly P[]): P | undefined {
    if (nodes.length < 2) return nodes[0];
    const first = this.#dice(nodes.length);
    const second = (first + 1 + this.#dice(nodes.length - 1)) % nodes.length;
    const [one, other] = [nodes[first], nodes[second]];
    if (one === undefined || other === undefined) return one;
    return this.#loadOf(other) < this.#loadOf(one) ? other : one;
  }

  #byLoad<P extends Place>(nodes: readonly P[]): readonly P[] {
    return nodes.toSorted((one, other) => this.#loadOf(one) - this.#loadOf(other));
  }

  /** Of its capacity: 1 is full. */
  #loadOf({ incarnation, legs, capLegs }: Place): number {
    return (legs + (this.#untold.get(incarnation) ?? 0)) / Math.max(1, capLegs);
  }

  #remember(incarnation: string, atMs: AtMs): void {
    this.#placed.push({ incarnation, atMs });
    this.#untold.set(incarnation, (this.#untold.get(incarnation) ?? 0) + 1);
  }

  #forgetTold(nowMs: AtMs): void {
    const firstUntold = this.#placed.findIndex(({ atMs }) => nowMs - atMs < UNTOLD_MS);
    const told = firstUntold < 0 ? this.#placed.length : firstUntold;
    const gone = this.#placed.splice(0, Math.max(told, this.#placed.length - UNTOLD_MAX + 1));
    for (const { incarnation } of gone) {
      const left = (this.#untold.get(incarnation) ?? 1) - 1;
      if (left > 0) this.#untold.set(incarnation, left);
      else this.#untold.delete(incarnation);
    }
  }

  #dice(count: number): number {
    return Math.floor(randomRatio(this.#options.clock) * count);
  }
}
