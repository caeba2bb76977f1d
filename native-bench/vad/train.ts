import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Features, FEATURES } from '../../src/media/voice/own/features.ts';
import { Dice } from './dice.ts';
import type { RateHz } from './prompts.ts';
import { buildSet, SEED, type Track } from './tracks.ts';

const HIDDEN = 24;
const EPOCHS = 10;
const BATCH = 256;
const RATE = 0.003;
/** The first moments of a voice decide how late it is reported. */
const ONSET_HOPS = 8;
const ONSET_WEIGHT = 2.5;
const WEIGHTS_DIR = resolve(import.meta.dirname, '../../src/media/voice/own');
/** Each network, and the lines it learns from: what it is to know of narrow ones holds for both rates. */
const LINES: Readonly<Record<string, readonly RateHz[]>> = { narrow: [8000, 16_000], wide: [16_000] };

interface Examples {
  readonly features: Float32Array;
  readonly labels: Uint8Array;
  readonly weights: Float32Array;
  readonly count: number;
}

/** What a wrong answer costs, by what was heard: reports on tones and music are never forgiven. */
const COSTS: Readonly<Record<Track['kind'], number>> = { speech: 1, noise: 1, tone: 6, music: 2 };

function gather(tracks: readonly Track[], dice: Dice): Examples {
  const count = tracks.reduce((sum, { labels }) => sum + labels.length, 0);
  const examples = {
    features: new Float32Array(count * FEATURES),
    labels: new Uint8Array(count),
    weights: new Float32Array(count),
    count,
  };
  let row = 0;
  for (const { samples, labels, rateHz, kind, noise } of tracks) {
    const hopSamples = rateHz / 100;
    let features = new Features(rateHz);
    let freshUntil = 0;
    let sinceOnset = 0;
    for (let hop = 0; hop < labels.length; hop++, row++) {
      if (hop >= freshUntil) {
        // Calls begin, often with a word: a detector that has heard nothing yet is trained as much.
        features = new Features(rateHz);
        freshUntil = hop + Math.round(100 * dice.between(2, 24));
      }
      features.hear(samples.subarray(hop * hopSamples, (hop + 1) * hopSamples));
      examples.features.set(features.values, row * FEATURES);
      examples.labels[row] = labels[hop]!;
      sinceOnset = labels[hop] === 1 ? sinceOnset + 1 : 0;
      const isOnset = sinceOnset > 0 && sinceOnset <= ONSET_HOPS;
      // What babble says is speech, and only its level tells: it shall not spoil the rest.
      const share = noise === 'babble' ? 0.5 : 1;
      examples.weights[row] = share * COSTS[kind] * (isOnset ? ONSET_WEIGHT : 1);
    }
  }
  return examples;
}

/** Mean and deviation of each feature; they are folded into the weights afterwards. */
function normalise({ features, count }: Examples): { mean: Float64Array; deviation: Float64Array } {
  const mean = new Float64Array(FEATURES);
  const deviation = new Float64Array(FEATURES);
  for (let at = 0; at < features.length; at++) mean[at % FEATURES]! += features[at]! / count;
  for (let at = 0; at < features.length; at++) {
    deviation[at % FEATURES]! += (features[at]! - mean[at % FEATURES]!) ** 2 / count;
  }
  for (let i = 0; i < FEATURES; i++) deviation[i] = Math.sqrt(deviation[i]!) || 1;
  for (let at = 0; at < features.length; at++) {
    features[at] = (features[at]! - mean[at % FEATURES]!) / deviation[at % FEATURES]!;
  }
  return { mean, deviation };
}

/** Parameters in one row: hidden weights, hidden biases, out weights, out bias. */
const HIDDEN_BIAS_AT = HIDDEN * FEATURES;
const OUT_AT = HIDDEN_BIAS_AT + HIDDEN;
const PARAMETERS = OUT_AT + HIDDEN + 1;

class Trainer {
  readonly parameters = new Float32Array(PARAMETERS);
  readonly #gradient = new Float32Array(PARAMETERS);
  readonly #first = new Float32Array(PARAMETERS);
  readonly #second = new Float32Array(PARAMETERS);
  readonly #active = new Float32Array(HIDDEN);
  #steps = 0;

  constructor(dice: Dice) {
    for (let i = 0; i < HIDDEN_BIAS_AT; i++) this.parameters[i] = dice.gauss() * Math.sqrt(2 / FEATURES);
    for (let i = OUT_AT; i < PARAMETERS - 1; i++) this.parameters[i] = dice.gauss() * Math.sqrt(1 / HIDDEN);
  }

  /** Adds one example to the gradient; returns its cross-entropy. */
  learn(features: Float32Array, from: number, label: number, weight: number): number {
    const { parameters } = this;
    const gradient = this.#gradient;
    const active = this.#active;
    let answer = parameters[PARAMETERS - 1]!;
    for (let unit = 0; unit < HIDDEN; unit++) {
      let sum = parameters[HIDDEN_BIAS_AT + unit]!;
      const at = unit * FEATURES;
      for (let i = 0; i < FEATURES; i++) sum += parameters[at + i]! * features[from + i]!;
      active[unit] = sum > 0 ? sum : 0;
      if (sum > 0) answer += parameters[OUT_AT + unit]! * sum;
    }
    const odds = 1 / (1 + Math.exp(-answer));
    const slope = weight * (odds - label);
    gradient[PARAMETERS - 1]! += slope;
    for (let unit = 0; unit < HIDDEN; unit++) {
      if (active[unit] === 0) continue;
      gradient[OUT_AT + unit]! += slope * active[unit]!;
      const back = slope * parameters[OUT_AT + unit]!;
      gradient[HIDDEN_BIAS_AT + unit]! += back;
      const at = unit * FEATURES;
      for (let i = 0; i < FEATURES; i++) gradient[at + i]! += back * features[from + i]!;
    }
    return -weight * Math.log(Math.max(1e-7, label === 1 ? odds : 1 - odds));
  }

  /** Adam (Kingma and Ba 2014). */
  step(rate: number): void {
    this.#steps++;
    const scale1 = 1 / (1 - 0.9 ** this.#steps);
    const scale2 = 1 / (1 - 0.999 ** this.#steps);
    for (let i = 0; i < PARAMETERS; i++) {
      const slope = this.#gradient[i]! / BATCH + (i < HIDDEN_BIAS_AT ? 1e-5 * this.parameters[i]! : 0);
      const first = 0.9 * this.#first[i]! + 0.1 * slope;
      const second = 0.999 * this.#second[i]! + 0.001 * slope * slope;
      this.#first[i] = first;
      this.#second[i] = second;
      this.parameters[i]! -= (rate * first * scale1) / (Math.sqrt(second * scale2) + 1e-8);
      this.#gradient[i] = 0;
    }
  }
}

function train(examples: Examples, dice: Dice): Float32Array {
  const trainer = new Trainer(dice);
  const order = Uint32Array.from({ length: examples.count }, (_, i) => i);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    shuffle(order, dice);
    let loss = 0;
    const rate = RATE * 0.5 * (1 + Math.cos((Math.PI * epoch) / EPOCHS));
    for (let i = 0; i < order.length; i++) {
      const row = order[i]!;
      loss += trainer.learn(examples.features, row * FEATURES, examples.labels[row]!, examples.weights[row]!);
      if ((i + 1) % BATCH === 0) trainer.step(rate);
    }
    console.error(`epoch ${epoch + 1} of ${EPOCHS}: loss ${(loss / order.length).toFixed(4)}`);
  }
  return trainer.parameters;
}

function shuffle(order: Uint32Array, dice: Dice): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = dice.below(i + 1);
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
}

function sourceOf(
  name: string,
  parameters: Float32Array,
  mean: Float64Array,
  deviation: Float64Array,
): string {
  const hidden: number[][] = [];
  const hiddenBias: number[] = [];
  for (let unit = 0; unit < HIDDEN; unit++) {
    const row = Array.from({ length: FEATURES }, (_, i) => parameters[unit * FEATURES + i]! / deviation[i]!);
    hidden.push(row.map(toThousandths));
    const shift = row.reduce((sum, weight, i) => sum + weight * mean[i]!, 0);
    hiddenBias.push(toThousandths(parameters[HIDDEN_BIAS_AT + unit]! - shift));
  }
  const out = Array.from({ length: HIDDEN }, (_, unit) => toThousandths(parameters[OUT_AT + unit]!));
  const rows = hidden.map((row) => `    [${row.join(', ')}],`).join('\n');
  return [
    `import type { Weights } from './network.ts';`,
    '',
    '/** Made by `node native-bench/vad/train.ts` from the tuning half of the set. Not to be edited. */',
    `export const ${name.toUpperCase()}: Weights = {`,
    `  hidden: [\n${rows}\n  ],`,
    `  hiddenBias: [${hiddenBias.join(', ')}],`,
    `  out: [${out.join(', ')}],`,
    `  outBias: ${toThousandths(parameters[PARAMETERS - 1]!)},`,
    '};',
    '',
  ].join('\n');
}

function toThousandths(weight: number): number {
  return Math.round(weight * 1000) || 0;
}

// Other ratios than are scored, so that nothing depends on those three.
const snrsDb = [40, 28, 18, 10, 4];

// node native-bench/vad/train.ts [narrow|wide]
for (const [name, rates] of Object.entries(LINES)) {
  if (process.argv[2] !== undefined && process.argv[2] !== name) continue;
  const dice = new Dice(SEED);
  const tracks = rates.flatMap((rateHz) => buildSet({ half: 'tuning', rateHz, trackS: 60, snrsDb }));
  const examples = gather(tracks, dice);
  console.error(`${name}: ${examples.count} hops of ${tracks.length} tracks`);
  const { mean, deviation } = normalise(examples);
  const source = sourceOf(name, train(examples, dice), mean, deviation);
  writeFileSync(resolve(WEIGHTS_DIR, `${name}-weights.ts`), source);
}
