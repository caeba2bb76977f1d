/** One line of what Prometheus reads. */
interface Sample {
  readonly name: string;
  readonly labels: { readonly [name: string]: string };
  readonly value: number;
}

type Wanted = { readonly [label: string]: string };

/** `/metrics` at one moment. */
export class Exposition {
  readonly #samples: readonly Sample[];

  constructor(text: string) {
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    this.#samples = lines.map(sampleOf);
  }

  static async fetch(apiUrl: string): Promise<Exposition> {
    const response = await fetch(`${apiUrl}/metrics`);
    if (!response.ok) throw new Error(`/metrics answers ${response.status}`);
    return new Exposition(await response.text());
  }

  /** The sum over every series with these labels. */
  sum(name: string, wanted: Wanted = {}): number {
    return this.#of(name, wanted).reduce((sum, { value }) => sum + value, 0);
  }

  /** Cumulative counts by upper edge, summed over every series with these labels. */
  buckets(name: string, wanted: Wanted = {}): Map<number, number> {
    const counts = new Map<number, number>();
    for (const { labels, value } of this.#of(`${name}_bucket`, wanted)) {
      const edge = Number(labels['le'] === '+Inf' ? Infinity : labels['le']);
      counts.set(edge, (counts.get(edge) ?? 0) + value);
    }
    return counts;
  }

  #of(name: string, wanted: Wanted): readonly Sample[] {
    return this.#samples.filter(
      (sample) =>
        sample.name === name &&
        Object.entries(wanted).every(([label, word]) => sample.labels[label] === word),
    );
  }
}

/** What a histogram counted between two moments. Its quantiles are known to a bucket only. */
export interface BinnedLatency {
  readonly count: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly p999Ms: number | null;
}

export function binnedBetween(
  before: Exposition,
  after: Exposition,
  name: string,
  wanted: Wanted,
): BinnedLatency {
  const earlier = before.buckets(name, wanted);
  const bins = [...after.buckets(name, wanted)]
    .map(([edge, count]) => ({ edge, count: count - (earlier.get(edge) ?? 0) }))
    .toSorted((a, b) => a.edge - b.edge);
  const count = bins.at(-1)?.count ?? 0;
  const at = (ratio: number): number | null => (count === 0 ? null : quantileMs(bins, ratio * count));
  return { count, p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999) };
}

/** As Prometheus does it: values are taken to lie evenly within their bucket. */
function quantileMs(
  bins: readonly { readonly edge: number; readonly count: number }[],
  rank: number,
): number {
  const index = bins.findIndex(({ count }) => count >= rank);
  const lower = index === 0 ? { edge: 0, count: 0 } : bins[index - 1]!;
  const upper = bins[index]!;
  if (upper.edge === Infinity) return lower.edge * 1000;
  const share = (rank - lower.count) / Math.max(1, upper.count - lower.count);
  return 1000 * (lower.edge + share * (upper.edge - lower.edge));
}

function sampleOf(line: string): Sample {
  const [, name = '', , labelText = '', value = ''] = /^([\w:]+)(\{(.*)\})? (\S+)/.exec(line) ?? [];
  const labels = [...labelText.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, word]) => [key, word]);
  return { name, labels: Object.fromEntries(labels) as Wanted, value: Number(value) };
}
