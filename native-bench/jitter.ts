import { adaptiveBuffer, fixedBuffer, rehearse, sourceOf, type Outcome } from './jitter/rehearsal.ts';
import { brokenLimits, PUT_GET_SCENARIOS, runPutGet } from './jitter/put-get.ts';
import { STORIES, type Story } from './jitter/stories.ts';
import { traceOf } from './jitter/trace.ts';
import { readSpeech } from './load/speech.ts';
import type { BenchOptions, Report, Table } from './report.ts';

interface Compared {
  readonly name: string;
  readonly seed: number;
  readonly fixed: Figures;
  readonly adaptive: Figures;
  readonly removedMs: number;
  readonly addedMs: number;
}

type Figures = Pick<Outcome, 'meanDelayMs' | 'p95DelayMs' | 'concealedRatio'>;

/** The adaptive jitter buffer beside a fixed one of 60 ms, and held to the limits of PJSIP's own scenarios. */
export function benchJitter({ isSmoke }: BenchOptions): Promise<Report> {
  const speech = readSpeech().samples;
  const stories = isSmoke ? STORIES.slice(0, 5) : STORIES;
  const compared = stories.map((story) => compare(story, speech));
  const scenarios = PUT_GET_SCENARIOS.map((scenario) => {
    const outcome = runPutGet(scenario, speech);
    return { scenario, outcome, broken: brokenLimits(scenario, outcome) };
  });
  return Promise.resolve({
    name: 'jitter',
    tables: [storyTable(compared), scenarioTable(scenarios)],
    failures: [
      ...compared.filter(isWorse).map(({ name }) => `${name}: the fixed buffer does better`),
      ...scenarios.flatMap(({ scenario, broken }) => broken.map((limit) => `${scenario.name}: ${limit}`)),
    ],
    figures: {
      stories: compared,
      scenarios: scenarios.map(({ scenario, outcome }) => ({ ...scenario, outcome })),
    },
  });
}

function compare({ name, seed, network }: Story, speech: Int16Array): Compared {
  const trace = traceOf(network, seed);
  const source = sourceOf(speech, trace.places);
  const fixed = rehearse(trace, source, fixedBuffer());
  const adaptive = rehearse(trace, source, adaptiveBuffer());
  const { removedSamples, addedSamples } = adaptive.buffer.stats;
  return {
    name,
    seed,
    fixed: figuresOf(fixed),
    adaptive: figuresOf(adaptive),
    removedMs: removedSamples / 8,
    addedMs: addedSamples / 8,
  };
}

function figuresOf({ meanDelayMs, p95DelayMs, concealedRatio }: Outcome): Figures {
  return { meanDelayMs, p95DelayMs, concealedRatio };
}

function isWorse({ fixed, adaptive }: Compared): boolean {
  return adaptive.meanDelayMs >= fixed.meanDelayMs && adaptive.concealedRatio >= fixed.concealedRatio;
}

function storyTable(compared: readonly Compared[]): Table {
  return {
    title: 'beside a fixed buffer of 60 ms, the same arrivals',
    columns: ['story', 'ms', 'p95', '% made up', 'adaptive ms', 'p95', '% made up', 'ms removed', 'ms added'],
    rows: compared.map(({ name, fixed, adaptive, removedMs, addedMs }) => [
      name,
      ...[fixed, adaptive].flatMap((one) => [
        Math.round(one.meanDelayMs),
        Math.round(one.p95DelayMs),
        Math.round(one.concealedRatio * 10_000) / 100,
      ]),
      Math.round(removedMs),
      Math.round(addedMs),
    ]),
  };
}

interface Ran {
  readonly scenario: (typeof PUT_GET_SCENARIOS)[number];
  readonly outcome: ReturnType<typeof runPutGet>;
  readonly broken: readonly string[];
}

function scenarioTable(ran: readonly Ran[]): Table {
  return {
    title: "PJSIP's scenarios: frames, and in brackets what is allowed",
    columns: ['scenario', 'discard', 'lost', 'empty', 'delay mean', 'delay min'],
    rows: ran.map(({ scenario, outcome }) => [
      scenario.name,
      ...(['discard', 'lost', 'empty', 'delayMean', 'delayMin'] as const).map((name) => {
        const limit = scenario.limits[name];
        return limit === undefined ? null : `${outcome[name]} (${limit})`;
      }),
    ]),
  };
}
