/** One metric as a strict reader of the exposition format finds it. */
export interface ReadMetric {
  readonly type: string;
  readonly help: string;
  readonly samples: {
    readonly name: string;
    readonly labels: Record<string, string>;
    readonly value: number;
  }[];
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?(?:\d+\.?\d*(?:e[+-]?\d+)?)|[+-]Inf|NaN)$/i;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;

/** Reads as promtool does, and throws at the first line that breaks a rule of the format. */
export function readExposition(text: string): Map<string, ReadMetric> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const metrics = new Map<string, ReadMetric>();
  let help: { name: string; text: string } | undefined;
  let current: string | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const [, word, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (word === 'HELP') help = { name: name!, text: rest! };
    else if (word === 'TYPE') {
      if (help?.name !== name) throw new Error(`${name} has no HELP right before its TYPE`);
      if (metrics.has(name!)) throw new Error(`${name} stands in two places`);
      if (!['counter', 'gauge', 'histogram'].includes(rest!)) throw new Error(`${name} is a ${rest}`);
      current = name!;
      metrics.set(current, { type: rest!, help: help!.text, samples: [] });
    } else readSample(line, current, metrics);
  }
  for (const [name, metric] of metrics) check(name, metric);
  return metrics;
}

function readSample(line: string, current: string | undefined, metrics: Map<string, ReadMetric>): void {
  const [, name, inBraces, value] = SAMPLE.exec(line) ?? [];
  if (name === undefined || current === undefined) throw new Error(`not a sample: ${line}`);
  const metric = metrics.get(current)!;
  const parts = metric.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  if (!parts.some((part) => name === current + part)) throw new Error(`${name} stands below ${current}`);
  const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value);
  metric.samples.push({ name, labels: readLabels(inBraces ?? ''), value: number });
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name, word] = LABEL.exec(text) ?? [];
    if (name === undefined) throw new Error(`not labels: ${text}`);
    if (name in labels) throw new Error(`label ${name} stands twice: ${text}`);
    labels[name] = word!.replaceAll('\\"', '"').replaceAll('\\n', '\n').replaceAll('\\\\', '\\');
  }
  return labels;
}

function check(name: string, { type, samples }: ReadMetric): void {
  if ((type === 'counter') !== name.endsWith('_total')) {
    // Names of the process metrics are prom-client's: two of its counters are older than the rule.
    if (name.startsWith('omnivoice_')) throw new Error(`${name} is a ${type}`);
  }
  const seen = new Set<string>();
  for (const { name: sample, labels } of samples) {
    const key = [
      sample,
      ...Object.keys(labels)
        .sort()
        .map((label) => `${label}=${labels[label]}`),
    ].join();
    if (seen.has(key)) throw new Error(`the same series twice: ${key}`);
    seen.add(key);
  }
  if (type === 'histogram') checkHistogram(name, samples);
}

function checkHistogram(name: string, samples: ReadMetric['samples']): void {
  const groups = new Map<string, { edge: number; value: number }[]>();
  const counts = new Map<string, number>();
  for (const { name: sample, labels, value } of samples) {
    const { le, ...others } = labels;
    const key = JSON.stringify(others);
    if (sample === `${name}_count`) counts.set(key, value);
    if (sample !== `${name}_bucket`) continue;
    const edge = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
    groups.set(key, [...(groups.get(key) ?? []), { edge, value }]);
  }
  for (const [key, buckets] of groups) {
    const isRising = buckets.every(
      (bucket, i) => i === 0 || (bucket.edge > buckets[i - 1]!.edge && bucket.value >= buckets[i - 1]!.value),
    );
    const last = buckets.at(-1)!;
    if (!isRising || last.edge !== Number.POSITIVE_INFINITY || last.value !== counts.get(key)) {
      throw new Error(`${name}${key} is no histogram`);
    }
  }
}
