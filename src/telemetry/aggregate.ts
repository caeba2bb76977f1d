import type { MetricSnapshot, Snapshot } from './exposition.ts';
import type { Sample } from './scrape.ts';

/** What one media node told: its number on the host, and its figures. */
export interface NodeSnapshot {
  readonly node: number;
  readonly snapshot: Snapshot;
}

/**
 * The whole host in one: control's own figures as they are, every node's with its number as the label `node`.
 * All numbers of a metric stand together, as the exposition format demands.
 */
export function aggregate(control: Snapshot, nodes: readonly NodeSnapshot[]): Snapshot {
  const merged = new Map<string, { readonly head: MetricSnapshot; readonly values: Sample[] }>();
  const add = (metric: MetricSnapshot, values: readonly Sample[]): void => {
    const known = merged.get(metric.name);
    if (known === undefined) merged.set(metric.name, { head: metric, values: [...values] });
    else known.values.push(...values);
  };
  for (const metric of control) add(metric, metric.values);
  for (const { node, snapshot } of nodes) {
    for (const metric of snapshot)
      add(
        metric,
        metric.values.map((sample) => ofNode(sample, node)),
      );
  }
  return [...merged.values()].map(({ head, values }) => ({ ...head, values }));
}

function ofNode(sample: Sample, node: number): Sample {
  return { ...sample, labels: { node: String(node), ...sample.labels } };
}
