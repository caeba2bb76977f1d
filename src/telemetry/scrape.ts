import type { Metric, Registry } from 'prom-client';
import type { Bins } from './bins.ts';

export interface Labels {
  readonly [name: string]: string;
}

/** One number of a metric. `metricName` differs from the metric's own for the parts of a histogram. */
export interface Sample {
  readonly value: number;
  readonly labels: Labels;
  readonly metricName?: string;
}

interface MetricHead {
  /** Without the prefix. */
  readonly name: string;
  readonly help: string;
}

const PREFIX = 'omnivoice_';

/** A metric that is read from plain numbers when somebody asks: the hot path only counts. */
export function readAtScrape(
  registry: Registry,
  metric: MetricHead & { readonly type: 'counter' | 'gauge' | 'histogram'; readonly read: () => Sample[] },
): void {
  const name = `${PREFIX}${metric.name}`;
  const { help, type, read } = metric;
  const collector = { name, help, type, get: () => Promise.resolve({ name, help, type, values: read() }) };
  // All that a registry asks of a metric is its name and `get`; prom-client's type names its classes instead.
  registry.registerMetric(collector as unknown as Metric);
}

/** Of each registry, who knows of values and words that it could not take. */
const REFUSALS = new WeakMap<Registry, (() => number)[]>();

/** Adds to what the limit `figures` of a registry held back: measured wrong, or of no closed set. */
export function addRefusals(registry: Registry, read: () => number): void {
  REFUSALS.set(registry, [...(REFUSALS.get(registry) ?? []), read]);
}

/** What every limit held back since the start, by the limit's name: a closed set, the keys of `read`. */
export function readLimits(registry: Registry, read: () => { readonly [limit: string]: number }): void {
  readAtScrape(registry, {
    name: 'limit_hits_total',
    help: 'What a limit held back, by its name',
    type: 'counter',
    read: () => {
      const figures = (REFUSALS.get(registry) ?? []).reduce((sum, refused) => sum + refused(), 0);
      return Object.entries({ ...read(), figures }).map(([limit, value]) => ({ labels: { limit }, value }));
    },
  });
}

/** One combination of labels of a histogram. */
export interface BinSeries {
  readonly labels: Labels;
  readonly bins: Bins;
  /** Left out until a first value falls into it: of many combinations most never have any. */
  readonly isOptional?: boolean;
}

/** A histogram over bins, one set for each combination of labels. */
export function readBins(
  registry: Registry,
  metric: MetricHead & { readonly series: readonly BinSeries[] },
): void {
  const { series, ...head } = metric;
  const name = `${PREFIX}${head.name}`;
  addRefusals(registry, () => series.reduce((sum, { bins }) => sum + bins.stats.refusedValues, 0));
  const read = (): Sample[] =>
    series
      .filter(({ bins, isOptional = false }) => !isOptional || !bins.isEmpty)
      .flatMap(({ labels, bins }) => samplesOf(name, labels, bins));
  readAtScrape(registry, { ...head, type: 'histogram', read });
}

function samplesOf(name: string, labels: Labels, bins: Bins): Sample[] {
  const samples: Sample[] = [];
  let count = 0;
  for (let bin = 0; bin < bins.counts.length; bin++) {
    count += bins.counts[bin]!;
    const le = bin < bins.edges.length ? String(bins.edges[bin]) : '+Inf';
    samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: count });
  }
  samples.push({ metricName: `${name}_sum`, labels, value: bins.sum });
  samples.push({ metricName: `${name}_count`, labels, value: count });
  return samples;
}
