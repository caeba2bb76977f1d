import { seededDice } from '../../src/base/clock.ts';
import { AdaptiveJitterBuffer } from '../../src/media/jitter/adaptive-jitter-buffer.ts';
import { FixedJitterBuffer } from '../../src/media/jitter/fixed-jitter-buffer.ts';
import type { JitterBuffer } from '../../src/media/jitter/jitter-buffer.ts';

const SAMPLES = 160;
const FRAME_MS = 20;

/** What a scenario allows, in frames. */
export interface PutGetLimits {
  /** Frames that came and were not played: late, doubled, overflowing, or shortened away. */
  readonly discard: number;
  readonly lost?: number;
  /** Turns in which nothing was there to be played. */
  readonly empty: number;
  readonly delayMean?: number;
  readonly delayMin?: number;
}

/**
 * One of the scenarios that PJSIP's jitter buffer is tested with (pjproject, `pjmedia/build/Jbtest.dat`), told
 * anew. P: a frame is put in; G: one is got, 20 ms after the last; L: one is lost; R: numbers begin anew at 1;
 * D: the last frame once more; O: an old frame.
 */
export interface PutGetScenario {
  readonly name: string;
  readonly mode: 'adaptive' | { readonly fixedFrames: number };
  readonly events: string;
  readonly limits: PutGetLimits;
}

/** So many puts, then so many gets, pair by pair. */
function runs(...pairs: readonly (readonly [number, number])[]): string {
  return pairs.map(([puts, gets]) => 'P'.repeat(puts) + 'G'.repeat(gets)).join('');
}

const EVEN = 'PG';
const UPHILL = runs([1, 1], [1, 1], [2, 2], [4, 2], [1, 3], [1, 1]);
const DOWNHILL = runs([1, 4], [3, 1], [2, 1], [3, 2], [1, 2]);
const HILLS = runs([1, 1], [1, 1], [2, 2], [2, 2], [3, 3], [1, 1]);
const RANDOM = UPHILL + DOWNHILL + UPHILL + DOWNHILL + HILLS + DOWNHILL;
const drifting = (extra: 'P' | 'G'): string => {
  const two = extra + UPHILL + DOWNHILL + extra + UPHILL;
  const whole = two + extra + DOWNHILL + HILLS + extra + DOWNHILL;
  return extra === 'P' ? whole.repeat(17) : whole.repeat(16) + two;
};
const TENS = runs([10, 10]);
const SPIKE = runs([50, 50]);

/** The fifteen sessions of the file under their sixteen titles (that of the duplicates takes two lines). */
export const PUT_GET_SCENARIOS: readonly PutGetScenario[] = [
  {
    name: 'ideal',
    mode: 'adaptive',
    events: EVEN.repeat(60),
    limits: { discard: 0, lost: 0, empty: 0, delayMean: 1 },
  },
  {
    name: 'silence that is not sent',
    mode: 'adaptive',
    events: EVEN.repeat(30) + 'G'.repeat(20) + EVEN.repeat(30),
    limits: { discard: 0, lost: 0, empty: 20, delayMean: 1 },
  },
  {
    name: 'three at a time',
    mode: 'adaptive',
    events: runs([3, 3]).repeat(24),
    limits: { discard: 0, lost: 0, empty: 0, delayMean: 3 },
  },
  {
    name: 'random bursts',
    mode: 'adaptive',
    events: RANDOM.repeat(26),
    limits: { discard: 1, lost: 0, empty: 4, delayMean: 4 },
  },
  {
    name: 'random bursts, more puts than gets',
    mode: 'adaptive',
    events: drifting('P'),
    limits: { discard: 68, lost: 68, empty: 4, delayMean: 8 },
  },
  {
    name: 'random bursts, fewer puts than gets',
    mode: 'adaptive',
    events: drifting('G'),
    limits: { discard: 0, lost: 0, empty: 70, delayMean: 4 },
  },
  {
    name: 'losses',
    mode: 'adaptive',
    events:
      `${EVEN.repeat(20)}LG${EVEN.repeat(2)}LG${EVEN.repeat(3)}LG${EVEN.repeat(22)}` +
      `${'PLPGGGPPPGGGPLPGGGPG'.repeat(2)}${EVEN.repeat(20)}`,
    limits: { discard: 0, lost: 7, empty: 3, delayMean: 3 },
  },
  {
    name: 'numbers that begin anew',
    mode: 'adaptive',
    events: `${EVEN.repeat(120)}R${EVEN.repeat(60)}`,
    limits: { discard: 0, lost: 0, empty: 0, delayMean: 1 },
  },
  {
    name: 'everything twice',
    mode: 'adaptive',
    events: 'PDG'.repeat(40),
    limits: { discard: 40, lost: 0, empty: 0, delayMean: 1 },
  },
  {
    name: 'late frames',
    mode: 'adaptive',
    events: `${EVEN.repeat(60)}${'LGLGPG'.repeat(2)}OOOO${EVEN.repeat(60)}`,
    limits: { discard: 8, lost: 4, empty: 4, delayMean: 4 },
  },
  {
    name: 'fifty at the beginning',
    mode: 'adaptive',
    events: 'P'.repeat(50) + EVEN.repeat(775),
    limits: { discard: 50, lost: 50, empty: 0, delayMin: 2 },
  },
  {
    name: 'fixed at 5, empty twice',
    mode: { fixedFrames: 5 },
    events: `G${EVEN.repeat(25)}GGGGG${EVEN.repeat(25)}`,
    limits: { discard: 0, lost: 0, empty: 10, delayMean: 5 },
  },
  {
    name: 'fixed at 5, random bursts',
    mode: { fixedFrames: 5 },
    events: RANDOM.repeat(4),
    limits: { discard: 0, lost: 0, empty: 5, delayMean: 6 },
  },
  {
    name: 'fixed at 10, fifty at the beginning',
    mode: { fixedFrames: 10 },
    events: 'P'.repeat(50) + EVEN.repeat(350),
    limits: { discard: 1, lost: 1, empty: 0, delayMin: 50 },
  },
  {
    name: 'two hundred at the beginning, tens, and spikes of fifty',
    mode: 'adaptive',
    events:
      'P'.repeat(200) +
      [64, 32, 48, 14, 56].map((tens) => TENS.repeat(tens) + SPIKE).join('') +
      TENS.repeat(126),
    limits: { discard: 300, lost: 300, empty: 60, delayMean: 20 },
  },
];

/** What a scenario came to, in the same words as its limits. */
export type PutGetOutcome = Required<PutGetLimits>;

/** Runs a scenario: what happens between two gets happens in the middle between them. */
export function runPutGet(scenario: PutGetScenario, speech: Int16Array): PutGetOutcome {
  const buffer = bufferFor(scenario.mode);
  const run = new PutGetRun(buffer, speech);
  for (const event of scenario.events) run.step(event);
  const { lateFrames, duplicateFrames, overflowFrames, removedSamples, lostFrames } = buffer.stats;
  return {
    discard: lateFrames + duplicateFrames + overflowFrames + Math.floor(removedSamples / SAMPLES),
    lost: lostFrames,
    empty: run.emptyTurns,
    delayMean: Math.floor(run.depthFrames / run.turns),
    delayMin: run.depthFramesMin,
  };
}

/** The names of the limits that were passed. */
export function brokenLimits({ limits }: PutGetScenario, outcome: PutGetOutcome): readonly string[] {
  return (Object.keys(limits) as (keyof PutGetLimits)[]).filter((name) => outcome[name] > limits[name]!);
}

function bufferFor(mode: PutGetScenario['mode']): JitterBuffer {
  if (mode === 'adaptive') return new AdaptiveJitterBuffer({ sampleRateHz: 8000 });
  const targetMs = mode.fixedFrames * FRAME_MS;
  // The scenarios suppose room for fifty frames.
  return new FixedJitterBuffer({ sampleRateHz: 8000, targetMs, excessMs: 50 * FRAME_MS - targetMs });
}

class PutGetRun {
  emptyTurns = 0;
  turns = 0;
  depthFrames = 0;
  depthFramesMin = Infinity;
  readonly #buffer: JitterBuffer;
  readonly #speech: Int16Array;
  readonly #target = new Int16Array(SAMPLES);
  readonly #dice = seededDice(1);
  #sequence = 1;
  #nowMs = 1000;

  constructor(buffer: JitterBuffer, speech: Int16Array) {
    this.#buffer = buffer;
    this.#speech = speech;
  }

  step(event: string): void {
    if (event === 'G') this.#get();
    else if (event === 'P') this.#put(this.#sequence++);
    else if (event === 'L') this.#sequence++;
    else if (event === 'R') this.#sequence = 1;
    else if (event === 'D') this.#put(this.#sequence - 1);
    else this.#put(this.#sequence - 10 - Math.floor(this.#dice() * 40));
  }

  #put(sequence: number): void {
    const at = ((sequence & 0xffff) * SAMPLES) % (this.#speech.length - SAMPLES);
    this.#buffer.insert(
      this.#speech.slice(at, at + SAMPLES),
      sequence & 0xffff,
      -1,
      this.#nowMs + FRAME_MS / 2,
    );
  }

  #get(): void {
    this.#nowMs += FRAME_MS;
    const depthFrames = Math.ceil(this.#buffer.depthMs / FRAME_MS);
    this.depthFrames += depthFrames;
    this.depthFramesMin = Math.min(this.depthFramesMin, depthFrames);
    this.turns++;
    const { lostFrames } = this.#buffer.stats;
    const played = this.#buffer.playInto(this.#nowMs, this.#target);
    // A hole between frames is lost, not empty.
    if (played !== 'audio' && this.#buffer.stats.lostFrames === lostFrames) this.emptyTurns++;
  }
}
