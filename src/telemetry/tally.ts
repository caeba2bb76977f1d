import type { Registry } from 'prom-client';
import { addRefusals, readAtScrape, type Labels, type Sample } from './scrape.ts';

/**
 * A counter whose labels come from closed sets. Every combination is there from the start with 0: Prometheus
 * misses the first increase of a series that appears late.
 */
export class Tally<Name extends string> {
  /** Adds whose labels are in no set: counted here, so that a new word never makes a new series. */
  readonly stats = { strays: 0 };
  readonly #names: readonly Name[];
  readonly #cells = new Map<string, { readonly labels: Labels; value: number }>();

  /** `never`: combinations that cannot be, which need no series. */
  constructor(
    sets: { readonly [N in Name]: readonly string[] },
    never: (labels: Labels) => boolean = () => false,
  ) {
    this.#names = Object.keys(sets) as Name[];
    for (const labels of combinationsOf(sets)) {
      if (!never(labels)) this.#cells.set(this.#keyOf(labels), { labels, value: 0 });
    }
  }

  add(labels: { readonly [N in Name]: string }, count = 1): void {
    const cell = this.#cells.get(this.#keyOf(labels));
    if (cell === undefined) this.stats.strays++;
    else cell.value += count;
  }

  samples(): Sample[] {
    return [...this.#cells.values()].map(({ labels, value }) => ({ labels, value }));
  }

  #keyOf(labels: { readonly [name: string]: string }): string {
    return this.#names.map((name) => labels[name]).join('\n');
  }
}

/** A tally that is also a metric. */
export function openTally<Name extends string>(
  registry: Registry,
  metric: {
    readonly name: string;
    readonly help: string;
    readonly labels: { readonly [N in Name]: readonly string[] };
    readonly never?: (labels: Labels) => boolean;
  },
): Tally<Name> {
  const tally = new Tally<Name>(metric.labels, metric.never);
  const { name, help } = metric;
  readAtScrape(registry, { name, help, type: 'counter', read: () => tally.samples() });
  addRefusals(registry, () => tally.stats.strays);
  return tally;
}

/** Every combination of one word out of each set. */
function combinationsOf(sets: { readonly [name: string]: readonly string[] }): Labels[] {
  let combinations: Labels[] = [{}];
  for (const [name, words] of Object.entries(sets)) {
    combinations = combinations.flatMap((labels) => words.map((word) => ({ ...labels, [name]: word })));
  }
  return combinations;
}
