import { Registry } from 'prom-client';
import type { Labels, Sample } from './scrape.ts';

/** A metric with its numbers at one moment; plain JSON, so that it can travel from a node to control. */
export interface MetricSnapshot {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly Sample[];
}

/** Everything one process tells. */
export type Snapshot = readonly MetricSnapshot[];

/** The content type of what `expositionOf` writes. */
export const EXPOSITION_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Reads a whole registry. What is no number at the moment is left out: JSON could not carry it. */
export async function snapshotOf(registry: Registry): Promise<Snapshot> {
  const metrics = await registry.getMetricsAsJSON();
  return metrics.map(({ name, help, type, values }) => ({
    name,
    help,
    type: String(type),
    values: (values as readonly PromValue[]).filter(({ value }) => Number.isFinite(value)).map(sampleOf),
  }));
}

interface PromValue {
  readonly value: number;
  readonly labels: { readonly [name: string]: string | number | undefined };
  readonly metricName?: string;
}

function sampleOf({ value, labels, metricName }: PromValue): Sample {
  const texts = Object.entries(labels).map(([name, word]) => [name, String(word)]);
  const sample = { value, labels: Object.fromEntries(texts) as Labels };
  return metricName === undefined ? sample : { ...sample, metricName };
}

/** The text that Prometheus reads (exposition format 0.0.4). */
export function expositionOf(snapshot: Snapshot): string {
  return snapshot
    .map((metric) => `${headOf(metric)}${metric.values.map((s) => lineOf(metric, s)).join('')}`)
    .join('');
}

function headOf({ name, help, type }: MetricSnapshot): string {
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n`;
}

function lineOf({ name }: MetricSnapshot, { value, labels, metricName }: Sample): string {
  const pairs = Object.entries(labels).map(([label, word]) => `${label}="${escapeWord(word)}"`);
  return `${metricName ?? name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
}

function escapeWord(word: string): string {
  return word.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
