import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asksOf, groupsOf } from '../ops/expressions.ts';
import { DASHBOARDS, questionsOf } from '../ops/dashboards.ts';
import { ALERTS, RECORDS } from '../ops/manifests.ts';
import { pageAt, PAGES } from '../pages.ts';
import { readExposition, type ReadMetric } from '../telemetry/exposition-parser.ts';
import { House } from './house.ts';

/** What Prometheus' configuration says of a target, and Prometheus itself. */
const TARGET_LABELS = ['job', 'instance', 'host', 'region', 'node', '__name__'];
const QUESTIONS = [
  ...ALERTS.map(({ alert, expr }) => ({ who: alert, expr })),
  ...RECORDS.map(({ record, expr }) => ({ who: record, expr })),
  ...DASHBOARDS.flatMap(questionsOf),
];
let house: House;
let shown: Map<string, ReadMetric>;

beforeAll(async () => {
  house = await House.open();
  // A node is linked a moment later, and some figures are none before its first beat.
  do shown = readExposition(await (await fetch(`${house.ready.api_url}/metrics`)).text());
  while (!shown.has('omnivoice_node_info') || silentIn(shown).length > 0);
});
afterAll(() => house?.close());

function silentIn(metrics: ReadonlyMap<string, ReadMetric>): readonly string[] {
  const ours = [...metrics].filter(([name]) => name.startsWith('omnivoice_'));
  return ours.filter(([, { samples }]) => samples.length === 0).map(([name]) => name);
}

function samplesOf(name: string): ReadMetric['samples'] | undefined {
  const whole = name.replace(/_(?:bucket|sum|count)$/, '');
  const metric = shown.get(name) ?? (shown.get(whole)?.type === 'histogram' ? shown.get(whole) : undefined);
  return metric?.samples.filter(({ name: sample }) => sample === name);
}

/** What of an expression a house does not show, in words. */
function missingIn(expr: string): readonly string[] {
  const asked = asksOf(expr);
  const labels = new Set(TARGET_LABELS);
  const missing = asked.flatMap(({ name, matchers }) => {
    if (name === 'up' || name === 'ALERTS') return [];
    if (name.includes(':')) return RECORDS.some(({ record }) => record === name) ? [] : [`no record ${name}`];
    const samples = samplesOf(name);
    if (samples === undefined || samples.length === 0) return [`no metric ${name}`];
    for (const sample of samples) for (const label of Object.keys(sample.labels)) labels.add(label);
    return matchers.flatMap(({ label, values }) => {
      if (TARGET_LABELS.includes(label)) return [];
      const known = new Set(samples.map((sample) => sample.labels[label]));
      const isKnown = (value: string): boolean =>
        [...known].some((word) => new RegExp(`^(?:${value})$`).test(word ?? ''));
      return values.filter((value) => !isKnown(value)).map((value) => `no ${name}{${label}="${value}"}`);
    });
  });
  if (asked.some(({ name }) => name.includes(':'))) return missing;
  const strangers = groupsOf(expr).filter((label) => !labels.has(label));
  return [...missing, ...strangers.map((label) => `no label ${label}`)];
}

/** Pages call a histogram by its name, which is no series. */
function asSeries(words: string): string {
  return words.replace(/^\w+/, (name) => (shown.get(name)?.type === 'histogram' ? `${name}_count` : name));
}

/** Labels that are named without a value, as pages do: `omnivoice_legs{kind}`. */
function namelessIn(expr: string): readonly string[] {
  const [, name = '', list = ''] = /^(\w+)\{([\w,]+)\}$/.exec(expr) ?? [];
  const known = new Set(samplesOf(name)?.flatMap(({ labels }) => Object.keys(labels)));
  return list.split(',').filter((label) => label !== '' && !known.has(label));
}

const OPERATIONS = 'docs/operations.md';
const LIMITS = 'docs/limits.md';
/** Of a provider whose callers were there: six histograms with the edges each has. */
const SERIES_OF_A_PROVIDER = 78;
const PROVIDERS_IN_USE = 3;
const SERIES_MAX = 2000;

function names(page: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(pageAt(page));
}

describe('the figures of a house', () => {
  it('are few enough that reading them does not make audio wait', () => {
    const ofNode = [...shown.values()].flatMap(({ samples }) =>
      samples.filter(({ labels }) => labels['node']),
    );
    expect(ofNode.length).toBeGreaterThan(1000);
    expect(ofNode.length + PROVIDERS_IN_USE * SERIES_OF_A_PROVIDER).toBeLessThan(SERIES_MAX);
  });

  it('are all that alerts, records and dashboards ask for: metrics, labels and their values', () => {
    expect(QUESTIONS.length).toBeGreaterThan(150);
    const missing = QUESTIONS.map(({ who, expr }) => [who, missingIn(expr)]);
    expect(missing.filter(([, words]) => words!.length > 0)).toEqual([]);
  });

  it('are told as missing where they are not there', () => {
    const wrong = [
      'omnivoice_no_such_metric > 0',
      'omnivoice_limit_hits_total{limit="no_such_limit"}',
      'omnivoice_hook_propagation_seconds_bucket{le="0.19"}',
      'sum by (colour) (omnivoice_legs)',
      'region:omnivoice_no_such_record:sum',
    ];
    expect(wrong.map((expr) => missingIn(expr).length)).toEqual(wrong.map(() => 1));
  });
});

describe('the pages for operators', () => {
  const pages = PAGES.filter(({ path }) =>
    /^(?:docs\/runbooks|docs\/operations|docs\/limits|ops)\b/.test(path),
  );

  it('name no metric, label or value that a house does not show', () => {
    const said = pages.flatMap(({ path, text }) =>
      [...text.matchAll(/\b(?:[a-z_]+:)?omnivoice_\w+(?::\w+)?(?:\{[^}`]*\})?|limit="\w+"/g)].map(
        ([words]) => ({
          path,
          words,
          expr: words.startsWith('limit=') ? `omnivoice_limit_hits_total{${words}}` : asSeries(words),
        }),
      ),
    );
    expect(said.length).toBeGreaterThan(150);
    const missing = said.map(({ path, words, expr }) => [
      path,
      words,
      ...missingIn(expr),
      ...namelessIn(expr),
    ]);
    expect(missing.filter(({ length }) => length > 2)).toEqual([]);
  });

  it('name every metric of the house, and every limit', () => {
    const unnamed = [...shown.keys()].filter(
      (name) => name.startsWith('omnivoice_') && !names(OPERATIONS, name),
    );
    expect(unnamed).toEqual([]);
    const limits = samplesOf('omnivoice_limit_hits_total')!.map(({ labels }) => labels['limit']!);
    expect(limits.length).toBeGreaterThan(200);
    expect(limits.filter((limit) => !names(LIMITS, limit))).toEqual([]);
  });

  it('name no limit that a house does not have', () => {
    const rows = [...pageAt(LIMITS).matchAll(/^\| (`[^|]+) \|/gm)];
    const named = rows.flatMap(([, cell]) => [...cell!.matchAll(/`(\w+)`/g)].map(([, limit]) => limit!));
    const limits = samplesOf('omnivoice_limit_hits_total')!.map(({ labels }) => labels['limit']);
    expect(named.filter((limit) => limit !== 'limit' && !limits.includes(limit))).toEqual([]);
  });

  it('name no request that the API does not take', async () => {
    const answer = await fetch(`${house.ready.api_url}/api/v1/openapi.json`);
    const { paths } = (await answer.json()) as { paths: { [path: string]: object } };
    const said = pages.flatMap(({ path, text }) =>
      [...text.matchAll(/\b(GET|POST|PUT|PATCH|DELETE) (\/api\/v1\/[^`?\s]*)/g)].map((match) => ({
        path,
        method: match[1]!.toLowerCase(),
        route: match[2]!,
      })),
    );
    expect(said.length).toBeGreaterThan(15);
    const unknown = said.filter(
      ({ method, route }) => route !== '/api/v1/openapi.json' && !Object.hasOwn(paths[route] ?? {}, method),
    );
    expect(unknown).toEqual([]);
  });
});
